package vantage

// Point is where questions are asked from. The zero value is the machine that the command
// runs on.
type Point struct {
	// Pod asks, on Node.
	Pod  string `json:"pod,omitempty"`
	Node string `json:"node,omitempty"`
	// UID is the pod's: a later one of that name asks from somewhere else.
	UID string `json:"uid,omitempty"`
}

// IsPod reports whether a pod asks.
func (p Point) IsPod() bool { return p.Pod != "" }

func (p Point) String() string {
	if p.IsPod() {
		return "pod " + p.Pod + " on node " + p.Node
	}
	return "this machine"
}
