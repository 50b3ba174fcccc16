"""The rules of the house: values, transition tables, access and errors.

Nothing here does input or output, and nothing here knows another room.
"""
