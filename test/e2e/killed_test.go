//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// killed runs a command that is killed at random moments, that many times at most or until it
// has ended by itself, and then to its end. It returns how often it was killed.
func killed(s *scene.Scene, times int, least, spread time.Duration, args ...string) (kills int) {
	s.T.Helper()
	for range times {
		p := s.Start(fmt.Sprintf("%s-%d.log", args[0], kills), args...)
		// The moment is the fault.
		if code, err := p.Exit(least + rand.N(spread)); p.Ended() {
			if err != nil || code != 0 {
				s.T.Fatalf("%s ended with %d (%v):\n%s", args[0], code, err, p.Log())
			}
			break
		}
		p.Kill()
		kills++
	}
	s.Zkmigrate(0, args...)
	return kills
}

// killedInTurn runs commands in turn, the next one once the former has ended by itself, until
// they were killed that many times at random moments; then the one whose turn it is to its end.
func killedInTurn(s *scene.Scene, times int, spread time.Duration, commands ...[]string) {
	s.T.Helper()
	kills, ends := 0, 0
	for kills < times {
		args := commands[ends%len(commands)]
		p := s.Start(fmt.Sprintf("%s-%d-%d.log", args[0], ends, kills), args...)
		// The moment is the fault.
		if code, err := p.Exit(rand.N(spread)); p.Ended() {
			if err != nil || code != 0 {
				s.T.Fatalf("%v ended with %d (%v):\n%s", args, code, err, p.Log())
			}
			ends++
			continue
		}
		p.Kill()
		kills++
	}
	s.T.Logf("%d kills, %d ends", kills, ends)
	s.Zkmigrate(0, commands[ends%len(commands)]...)
}
