"""What tests share: toys in the place of long trainings."""
