"""What tests share: toys in the place of long trainings."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the repository
