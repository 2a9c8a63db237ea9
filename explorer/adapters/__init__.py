"""NNI's tuners and assessors behind two small contracts of ours: their algorithms decide, our adapters mend."""
