"""BEFORE A SEARCH: how fast do several trials train side by side on one device, and what memory do they take?"""
