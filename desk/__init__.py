"""Conversations: who holds them, their numbered events, the turns of the bot, the queue and the agents. Only this package writes them."""
