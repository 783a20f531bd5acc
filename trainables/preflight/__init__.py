"""BEFORE A SEARCH: can what a space may draw be trained here, and how fast?"""
