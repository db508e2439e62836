//! The cases of the stage's page, one after another: what there is, and what comes of it. `create 3` is a limit of 3,
//! `create` alone is none; a row that is not written says its verdict, its rule and, in brackets, what may be chosen.

pub(super) const CASES: &str = "
# One coupon, two codes: the coupon's rest holds both together.
coupon 10/7; A mover 5/4; B mover -/3
= coupon: create 3
= A: close, create 1
= B: close, create

# Nothing has a limit.
coupon -/9; A mover -/4
= coupon: create
= A: close, create
= ! direct_uses

# Only the code has one.
coupon -/9; A mover 5/4; B mover 5/5
= coupon: create
= A: close, create 1
= B: noop exhausted (set_code_left)

# The code would give more than its coupon.
coupon 10/8; A mover 20/2; B mover 9/6
= coupon: create 2
= A: close, create 2
= B: close, create 2

# Uses without a code are the coupon's alone.
coupon 10/7; A mover 5/2
= coupon: create 3
= A: close, create 3
= ! direct_uses

# Used up.
coupon 7/7; A mover -/3 off; B mover 9/4 off
= coupon: noop exhausted (set_left)
= A: noop exhausted (set_left set_code_left)
= B: noop exhausted (set_left set_code_left)

# Used up, and a person gives it two more.
coupon 7/7; A mover -/3 off; B mover 9/4 off; decide coupon set_left 2
= coupon: create 2
= A: close, create
= B: close, create 2

# More uses than allowed are nothing left, not a negative limit.
coupon 7/9; A mover 3/4
= coupon: noop exhausted (set_left)
= A: noop exhausted (set_code_left)

# Expired comes before used up.
coupon 7/7 expires=-1; A mover -/3
= coupon: noop expired
= A: noop expired

# The code expired, the coupon did not.
coupon 7/3 expires=100; A mover -/3 expires=0; B mover 5/0 expires=1
= coupon: create 4
= A: noop expired
= B: close, create 4

# Switched off by somebody, with uses left.
coupon 10/4; A mover 5/2 off; B mover 5/2
= coupon: create 6
= A: noop inactive (set_code_left)
= B: close, create 3

# Its uses given back by a person.
coupon 10/4; A mover 5/2 off; B mover 5/2; decide A set_code_left 5
= coupon: create 6
= A: close, create 5
= B: close, create 3

# Codes were used more often than their coupon.
coupon 10/3; A mover 5/2; B stayer 5/2
= coupon: blocked counters_contradict
= A: blocked counters_contradict
= 1 codes_stay

# Stripe says it is not valid, and nothing says why.
coupon 10/3 invalid; A mover 5/2
= coupon: blocked not_valid
= A: blocked not_valid

# A customer who stays has two of the three that are left.
coupon 10/7; A mover 5/2; B stayer 2/0
= coupon: blocked shared (move leave set_left)
= A: blocked shared (move leave set_left)
= 1 codes_stay
= ! direct_uses
= ! kept_for_stayers

# The same, moved: what is kept for those who stay does not move.
coupon 10/7; A mover 5/5; C mover 9/0; B stayer 2/0; decide coupon move
= coupon: create 1
= A: noop exhausted (set_code_left)
= C: close, create 1
= 1 codes_stay
= ! direct_uses
= ! kept_for_stayers

# Those who stay can take everything: only a number from a person moves something.
coupon 10/7; A mover 5/2; B stayer -/0
= coupon: blocked shared (leave set_left)
= A: blocked shared (leave set_left)
= 1 codes_stay
= ! direct_uses
= ! kept_for_stayers

# And that number.
coupon 10/7; A mover 5/2; B stayer -/0; decide coupon set_left 2
= coupon: create 2
= A: close, create 2
= 1 codes_stay
= ! direct_uses
= ! kept_for_stayers

# A code for everybody, of which six are left: undecided.
coupon -/4; A open 10/4
= coupon: blocked shared (move leave split)
= A: blocked shared (move leave split)

# Moved whole.
coupon -/4; A open 10/4; decide coupon move
= coupon: create
= A: close, create 6

# Left where it is.
coupon -/4; A open 10/4; decide coupon leave
= coupon: left_out shared
= A: left_out shared

# Split: two go, four stay in a smaller code.
coupon -/4; A open 10/4; decide coupon split 2
= coupon: create
= A: close, recreate 4, create 2

# Everything may not go by splitting.
coupon -/4; A open 10/4; decide coupon split 6
= refused: `split` for row coupon/SPRING needs a number from 1 to 5: uses on the new account

# What is shared is not decided at one of those who share.
coupon -/4; A open 10/4; decide A move
= refused: `move` is decided at row coupon/SPRING, for code/promo_A too

# The coupon has the limit, the code none: six are the code's too.
coupon 10/4; A open -/4; decide coupon split 2
= coupon: create 2
= A: close, recreate 4, create 2

# A code of a customer who moves beside it.
coupon 20/4; A open 10/4; B mover 9/0; decide coupon split 2
= coupon: create 12
= A: close, recreate 4, create 2
= B: close, create 9

# The same, left: six are kept for everybody's code.
coupon 20/4; A open 10/4; B mover 12/0; decide coupon leave
= coupon: create 10
= A: left_out shared
= B: close, create 10

# Everybody's code can take everything: nothing is left to move.
coupon 20/4; A open -/4; B mover 12/0; decide coupon leave
= coupon: left_out shared
= A: left_out shared
= B: left_out shared

# Those who stay keep five, everybody's code is split, and the rest is the mover's as well.
coupon 20/4; A open 8/4; B mover -/0; C stayer 5/0; decide coupon split 1
= coupon: create 8
= A: close, recreate 3, create 1
= B: close, create
= 1 codes_stay
= ! kept_for_stayers

# Two codes for everybody cannot be split by one number.
coupon 20/4; A open 8/2; B open -/2
= coupon: blocked shared (move leave set_left)
= A: blocked shared (move leave set_left)
= B: blocked shared (move leave set_left)

# Without any limit nothing is shared: both sides.
coupon -/4; A open -/4; B open 3/0; decide coupon keep_both
= coupon: create
= A: create
= B: left_out shared

# Without a limit of the coupon each code is for itself.
coupon -/4; A open 8/4; B mover -/0; C stayer 5/0; D open -/0
= coupon: create
= A: blocked open_code (move leave split)
= B: close, create
= D: blocked open_code (move leave keep_both)
= 1 codes_stay

# And is decided for itself.
coupon -/4; A open 8/4; B mover -/0; D open -/0; decide A split 3; decide D keep_both
= coupon: create
= A: close, recreate 1, create 3
= B: close, create
= D: create

# Left out with its coupon.
coupon 5/0; A mover 1/0; decide coupon leave_out
= coupon: left_out movers_only
= A: left_out moves

# Only customers who stay.
coupon 5/0; A stayer 1/0; B stayer -/0
= 2 codes_stay
= 1 coupons_stay

# What they used up stays theirs as well, and a dead code of everybody's is told.
coupon 5/1; A stayer 1/1 off; B stayer -/0; C open 3/0 off
= C: noop inactive
= 2 codes_stay
= 1 coupons_stay

# Nobody has a code: the application alone can apply it.
coupon 5/2
= coupon: blocked direct_only (move set_left)

# All codes are dead.
coupon 5/2; A mover 2/2 off
= coupon: blocked direct_only (move set_left)
= A: noop exhausted (set_code_left)

# It moves, and with it a use a person gives back.
coupon 5/2; A mover 2/2 off; decide coupon move; decide A set_code_left 1
= coupon: create 3
= A: close, create 1

# As configured, coupons without a code stay.
setting leave; coupon 5/2
= coupon: left_out direct_only (move set_left)

# The copy did not bring the customer.
coupon 5/0; A absent 2/0; B nomethod 1/0; C mover 3/0
= coupon: blocked shared (move leave set_left)
= A: blocked customer_absent
= B: blocked customer_absent
= C: blocked shared (move leave set_left)

# What absent customers could still use is kept for them.
coupon 5/0; A absent 2/0; B nomethod 1/0; C mover 3/0; decide coupon move
= coupon: create 2
= A: blocked customer_absent
= B: blocked customer_absent
= C: close, create 2

# None but absent customers.
coupon 5/0; A absent 2/0
= coupon: blocked codes_blocked
= A: blocked customer_absent

# The customer is deleted.
coupon 5/0; A deleted 2/0; B mover 2/0
= coupon: create 5
= A: noop customer_deleted
= B: close, create 2

# A code of a shape nobody knows stays, and what it can take stays with it.
coupon 5/0; A mover 2/0 trouble; B mover 9/0; C mover 1/0 keys=47; decide coupon move
= coupon: create 2
= A: blocked odd
= B: close, create 2
= C: blocked too_many_metadata

# A coupon of a shape nobody knows, or with too much metadata.
coupon 5/0 trouble; A mover 2/0
= coupon: blocked odd
= A: blocked coupon_blocked

# Forty-six keys of the owner's are the most.
coupon 5/0 keys=47; A mover 2/0 keys=46
= coupon: blocked too_many_metadata
= A: blocked coupon_blocked

# Its product is not on the new account: it would be for everything.
coupon 5/0 product=silver; A mover 2/0
= coupon: blocked product_unmapped
= A: blocked coupon_blocked

# Its product is.
coupon 5/0 product=gold; A mover 2/0
= coupon: create 5
= A: close, create 2

# A used-up coupon whose product is missing is offered nothing.
coupon 5/5 product=silver; A mover 2/0
= coupon: noop exhausted
= A: noop exhausted

# For first purchases only: on a new account everybody's is the first.
coupon 5/0; A mover 2/0 first
= coupon: create 5
= A: close, create 2
= ! first_time

# Somebody made an equal coupon that gives less.
coupon 5/0; A mover 4/0; new coupon 3/1
= coupon: noop equal_exists
= A: close, create 2

# Somebody made one that gives more.
coupon 5/0; A mover 4/0; new coupon 7/1
= coupon: blocked coupon_differs
= A: blocked coupon_blocked

# Somebody made another one.
coupon 5/0; A mover 4/0; new coupon 5/0 percent=26
= coupon: blocked coupon_differs
= A: blocked coupon_blocked

# The same number in other digits is the same number.
coupon 5/0; A mover 4/0; new coupon 5/0 percent=25.00
= coupon: noop equal_exists
= A: close, create 4

# It gives what everybody's code can still take here.
coupon 5/0; A mover 4/0; B open 3/0; new coupon 3/0
= coupon: blocked coupon_differs
= A: blocked coupon_blocked
= B: blocked coupon_blocked

# The text is taken on the new account, in other letters.
coupon 5/0; A mover 4/0 text=Hello; B mover 1/0; new X open 1/0 text=hELLO coupon=OTHER; decide coupon move
= coupon: create 1
= A: blocked code_taken
= B: close, create 1

# Of another customer it is not taken, and neither is what is off.
coupon 5/0; A mover 4/0 text=Hello; new X mover 1/0 text=hello coupon=OTHER; new Y open 1/0 text=HELLO off
= coupon: create 5
= A: close, create 4

# Two of ours would have one text; of two customers they may.
coupon 5/0; A mover 2/0 text=hi; B mover 2/0 text=HI of_customer=A; C mover 1/0 text=Hi; decide coupon move
= coupon: create 1
= A: blocked code_taken
= B: blocked code_taken
= C: close, create 1

# The coupon is deleted.
A mover 2/0 off; B mover 2/0
= A: noop coupon_deleted
= B: blocked coupon_missing

# An earlier run did everything.
coupon 5/1; A mover 4/1 closed; new coupon 4/0 ours; new N mover 3/0 of=A of_customer=A
= coupon: noop already_there
= A: noop already_there

# It was interrupted after the coupon: one code is closed and not made, one not closed yet.
coupon 5/1; A mover 4/1 closed; B mover 2/0; new coupon 4/0 ours
= coupon: noop already_there
= A: create 3
= B: close, create 2

# It was interrupted after closing: a code for everybody that is closed was decided before.
coupon 5/1; A open 4/1 closed
= coupon: create 4
= A: create 3

# What was closed has expired since.
coupon 5/1; A open 4/1 closed expires=-5
= coupon: blocked direct_only (move set_left)
= A: noop expired

# Its coupon on the new account is used up since.
coupon 5/1; A mover 4/1 closed; new coupon 4/4 ours
= coupon: noop already_there
= A: blocked coupon_used_up

# A limit cannot be changed: what an earlier run set is told.
coupon 5/3; A mover 4/3 closed; new coupon 4/0 ours
= coupon: noop already_there
= A: create 1
= ! limit_of_earlier_run

# A code for everybody that came since is decided for itself.
coupon 5/1; A mover 4/1 closed; B open 2/0; new coupon 4/0 ours; new N mover 3/0 of=A of_customer=A; decide B move
= coupon: noop already_there
= A: noop already_there
= B: close, create 2

# An earlier run split a code: the smaller one is not shared out again.
coupon -/4; A open 10/4 closed; S open 4/0 of=A share text=A; new coupon -/0 ours; new N open 2/0 of=A text=A
= coupon: noop already_there
= A: noop already_there
= S: noop split_share

# It was interrupted before the new one was made: six were left, four of them stay.
coupon -/4; A open 10/4 closed; S open 4/0 of=A share text=A
= coupon: create
= A: create 2
= S: noop split_share

# The same of a limited coupon: what the smaller one can take is kept.
coupon 10/4; A open -/4 closed; S open 4/0 of=A share text=A; decide coupon move
= coupon: create 2
= A: create
= S: noop split_share

# An undo made it again with what was left then: that one counts.
coupon 9/4; A mover 6/4 settled; R mover 1/0 of=A text=A of_customer=A
= coupon: create 5
= A: noop given_back
= R: close, create 1

# Undone after it was split: the smaller one is off, and the first one open again.
coupon -/4; A open 10/4; S open 4/0 of=A share_off text=A; decide coupon move
= coupon: create
= A: close, create 6
= S: noop split_share

# Undone, and the code switched off on the new account: everything from the beginning.
coupon 9/4; A mover 6/4; new N mover 2/0 of=A of_customer=A off
= coupon: create 5
= A: close, create 2

# Somebody switched the old one on again after the new one was made.
coupon 9/4; A mover 6/4; new coupon 5/0 ours; new N mover 2/0 of=A of_customer=A
= coupon: noop already_there
= A: noop already_there
= ! active_on_both
= ! limit_of_earlier_run

# Left where it was by an earlier run: the limit then was right.
coupon 20/4; A open 10/4; B mover 12/0 closed; new coupon 10/0 ours; new N mover 10/0 of=B of_customer=B; decide A leave
= coupon: noop already_there
= A: left_out open_code
= B: noop already_there
";
