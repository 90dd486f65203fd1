"""What an utterance does, what it risks, how willing a debtor sounds: corpus, model, training, prediction.

It knows text, roles and labels. It knows nothing of sound, of the store, of rules or of dates and amounts.
"""
