"""What Rasa asks to have done: state in, at most two calls to search, facts and state out. Rules choose the words."""
