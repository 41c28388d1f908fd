package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// mend clears up what a fault before this one left when it failed.
func (g *Stage) mend() {
	g.T.Helper()
	for _, s := range g.Status().Servers {
		switch s.Place {
		case string(OnHost):
			g.OnHost(s.ID, "unmask", "start")
		case string(InPod):
			g.OnHost(s.ID, "stop", "mask")
		default:
			g.OnHost(s.ID, "stop", "mask")
			defer g.Revert(s.ID)
		}
	}
}

// reconfigured has every host run with the new list.
func (g *Stage) reconfigured() {
	g.T.Helper()
	for _, s := range g.Status().Servers {
		if s.Phase == "wrapped" || strings.HasPrefix(s.Phase, string(migration.Reconfigure)+": ") {
			g.Reconfigure()
			return
		}
	}
}

// bring has all servers on hosts, or just one in its pod, and tells who is who.
func (g *Stage) bring(p Place) {
	g.T.Helper()
	if p != Wrapped {
		g.reconfigured()
	}
	st := g.Status()
	if !st.Healthy || slices.ContainsFunc(st.Servers, func(s scene.ServerStatus) bool { return s.Place == string(migration.PlaceMoving) }) {
		g.mend()
	}
	scene.Eventually(g.T, "the ensemble is whole", func() error {
		if st = g.Status(); !st.Healthy {
			return fmt.Errorf("%v", st.Problems)
		}
		return nil
	})
	if p == AllInPods {
		g.Replace(0, "--all")
	}
	replaced := 0
	for _, s := range st.Servers {
		switch {
		case s.Place != "pod", p == AllInPods:
		case p == InPod && replaced == 0:
			replaced = s.ID
		default:
			g.Revert(s.ID)
		}
	}
	st = g.Status()
	followers := scene.But(g.IDs, st.Leader)
	if p == InPod && replaced == 0 {
		replaced = followers[0]
		g.Replace(0, fmt.Sprintf("--id=%d", replaced))
	}
	g.ID, g.Leader = followers[0], st.Leader
	if replaced != 0 {
		g.ID = replaced
	}
	g.Other = scene.But(scene.But(g.IDs, g.Leader), g.ID)[0]
}

// stands wants the ensemble whole and the server where it should be.
func (g *Stage) stands(p Place) {
	g.T.Helper()
	scene.Eventually(g.T, "the ensemble is whole", func() error {
		st := g.Status()
		for _, s := range st.Servers {
			if s.ID == g.ID && s.Place != string(p) {
				return fmt.Errorf("server %d is at its %s, not its %s", s.ID, s.Place, p)
			}
		}
		if !st.Healthy {
			return fmt.Errorf("%v", st.Problems)
		}
		return nil
	})
}

// fenced wants the host of a server in its pod stopped and masked: no reboot
// starts it.
func (g *Stage) fenced() {
	g.T.Helper()
	hosts, err := g.Lab.Hosts(g.T.Context(), g.Name)
	if err != nil {
		g.T.Fatal(err)
	}
	for _, h := range hosts {
		if h.ID == g.ID && (h.Running || !h.Masked) {
			g.T.Errorf("host %s: running %t, masked %t; want it stopped and masked", h.Name, h.Running, h.Masked)
		}
	}
}
