"""Operators of torch over our kernels: schema, shapes, CPU code, gradient, and a plain-torch reference of each.

The only place where torch meets kernels. Tensors are float32 and channel last unless said otherwise. An operator that
feeds a batch norm also returns the moments of its result, float64 [2, C] (mean, biased variance), and the one behind it
takes them beside x with the norm's weight and bias (`batch_norm.py`): no pass over memory is the norm's alone.
"""
