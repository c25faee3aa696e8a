"""One questionnaire engine: reviews, checklists, surveys are forms and their responses."""
