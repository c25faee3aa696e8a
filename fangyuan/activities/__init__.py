"""What passes between us and customers: visits and other activities, plans, tasks."""
