"""What the child of the press says where a task cannot be done."""


class Wrong(ValueError):
    """What is wrong with the task, in a sentence for the person who gave it."""
