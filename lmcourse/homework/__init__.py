"""Homework: what a student's notebook calls (`check`), and the grader that runs each submission apart from its checks.

Chapter: homework and the instructor's guide.
"""

from lmcourse.homework.notebook import check, hidden_points

__all__ = ["check", "hidden_points"]
