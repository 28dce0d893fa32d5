module bench

go 1.19

require flatssl v0.0.0

replace flatssl => ../../../ffi/go
