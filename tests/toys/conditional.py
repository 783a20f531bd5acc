"""A space with what depends on other knobs: a learning rate of several ranges, weighted choices, conditional parameters."""

CONDITIONAL = """
task: mask
data: {source: sample_faces}
parameters:
  optimizer: {choice: {adamw: 3, lamb: 1, sgd: 1}}
  learning_rate:
  - {low: 5e-4, high: 8e-3, log: true, default: 2e-3, when: {optimizer: [adamw, lamb]}}
  - {low: 1e-2, high: 3e-1, log: true, when: {optimizer: sgd}}
  momentum: {low: 0.8, high: 0.98, when: {optimizer: sgd}}
  loss: {choice: {cross_entropy: 3, focal: 1}}
  focal_gamma: {low: 0.5, high: 4.0, when: {loss: focal}}
"""
