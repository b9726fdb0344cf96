"""Other interfaces than OpenAI's chat: each file translates one into it and back."""
