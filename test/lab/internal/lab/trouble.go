package lab

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// Daemons lists the lab's own processes by name.
func (l *Lab) Daemons() ([]string, error) {
	all, err := l.Runner().All()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names, nil
}

// Pause stops a daemon where it stands: its connections stay open and nobody
// answers. Resume lets it go on.
func (l *Lab) Pause(name string) error { return l.signal(name, syscall.SIGSTOP) }

// Resume ends a Pause.
func (l *Lab) Resume(name string) error { return l.signal(name, syscall.SIGCONT) }

func (l *Lab) signal(name string, s syscall.Signal) error {
	names, err := l.Daemons()
	if err != nil {
		return err
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("no daemon %q in lab %s; there are %s", name, l.Name, strings.Join(names, ", "))
	}
	p, err := l.Runner().Find(name)
	if err != nil {
		return err
	}
	if !p.Alive() {
		return fmt.Errorf("%s has ended; see %s", name, p.Log)
	}
	if err := syscall.Kill(p.PID, s); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}
