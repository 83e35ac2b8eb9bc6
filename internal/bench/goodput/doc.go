// Package goodput finds the highest arrival rate at which a service keeps a
// service-level objective: what the objective is, whether a try met it and how
// sure that is, and which rate to try next.
//
// It sends nothing and knows no clock: someone else holds a rate and hands in the
// latencies. All of it is pure functions and one small state machine.
package goodput
