"""What leaves the house: messages by mail, webhook and robot, and the proof that they came."""
