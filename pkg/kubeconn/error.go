package kubeconn

// Error is a failed connection in a person's words.
type Error struct {
	// What happened, and what to do about it.
	What, Next string
	// Timeout: the other side took too long.
	Timeout bool
	// Usage: what the person gave (a kubeconfig, a flag) cannot be used.
	Usage bool
	// Err is the cause where one is worth keeping for those who look for it.
	Err error
}

// Error prints what happened.
func (e *Error) Error() string { return e.What }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
