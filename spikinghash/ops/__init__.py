"""Operators of torch over our kernels: schema, shapes, CPU code, gradient, and a plain-torch reference of each.

The only place where torch meets kernels. Tensors are float32 and channel last unless said otherwise. An operator that
feeds a batch norm also returns the moments of its result, float64 [2, C] (mean, biased variance): the norm is then
arithmetic on [C], and the operator behind it takes its affine form, float64 [2, C] (scale, shift), beside x.
"""
