"""Consumers: receive events from a source, derive what subscribers want, hand it on in order.

This folder is licensed BSD-3-Clause (see LICENSE beside it): copy it into your own subscriber.
A consumer never knows what its handler stores; `app` joins the two.
"""
