"""Three shares from seeds, made in a ring, for every number that the key's holder opens.

What is opened would show more than it should: sums of secret weights, errors to all their digits. So the
aggregator and two checkers each add a share: a mask, or noise. Nobody's share is taken on trust (one that is
too wide frames whoever the opened number is about, one that holds Enc(weight)·2^k reads that weight), and
nobody knows all three. Each follows, plaintext and randomness, from a seed:

1. everybody commits: to what is opened, to the ciphertexts of its share and, the checkers, to a nonce
   (`commitments`);
2. nonces are shown, and what depends on chance is drawn from all of them (`commitments.chance`);
3. everybody shows its seed to the next, aggregator → first checker → second checker → aggregator, who makes
   the ciphertexts again (`shares`);
4. only who found them equal signs the digest of the product, and the key's holder opens nothing without three
   signatures of one digest (`product`).

Each of the three knows two shares, its own and that of the one before; the third hides the number from it. A
share that is contested is shown to all *before* the opening, and discarded with all others of its ring;
afterwards it would show the number. One dishonest party of the four is assumed: two neighbours know all.
"""
