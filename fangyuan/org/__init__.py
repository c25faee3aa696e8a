"""People, teams, memberships, holdings, leave, messages: who answers for what, and when."""
