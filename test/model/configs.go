package model

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Quick are explorations of a few seconds; together they touch every part.
func Quick() []Config {
	ids := []ensemble.ID{1, 2, 3}
	return append(Sights(100_000), []Config{
		{Name: "replace all, the tool dies at any point", IDs: ids, Version: "3.8.0", Begins: 3},
		{Name: "restart all, the tool dies at any point", IDs: ids, Version: "3.4.13", Begins: 3, Restart: true},
		{Name: "replace one, one fault", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Faults: 1},
		{Name: "replace one, asked through pods, one fault", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Faults: 1, Through: true},
		{Name: "replace one and go back", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Reverts: 1},
		{Name: "the leader goes last, one fault", IDs: ids, Version: "3.8.0", Moved: ids[:2], Only: ids[2:], Begins: 1, Faults: 1},
		{Name: "replace one from a copy, one fault", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 1, Copy: true, Without: []string{"lease"}},
		{Name: "go back, and into the pod again", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 2},
		{Name: "a volume is lost on the way back", IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Without: onlyVolumes()},
		{Name: "the volume of one without weight is lost", IDs: weightless(), Weightless: weightless()[3:], Version: "3.4.13", Moved: weightless()[3:], Only: ids[:1], Begins: 1, Faults: 1, Without: onlyVolumes()},
		{Name: "the journal's copy is put back", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Copies: true, Without: onlyJournal()},
		{Name: "go back, a backup with an operation under way is put back", Limit: 400_000, IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		{Name: "replace two, a backup with an operation under way is put back", IDs: ids, Version: "3.4.13", Only: ids[:2], Begins: 2, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		{Name: "other settings for all pods", IDs: ids, Version: "3.8.0", Moved: ids, Begins: 3, Apply: true},
		{Name: "other settings for one pod, one fault", Limit: 200_000, IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Apply: true},
		{Name: "a volume is lost", IDs: ids, Version: "3.4.13", Moved: ids, Faults: 1, Writes: 1, Without: []string{"lease", "kill", "evict", "reboot"}},
	}...)
}

// Sights are the explorations of a tool that does not see everything, and of
// processes that are paused; a limit cuts off those that are too large.
func Sights(limit int) []Config {
	ids := []ensemble.ID{1, 2, 3}
	deaths := []string{"lease", "evict", "reboot", "blind", "lie", "volume", "stop"}
	volumes := []string{"lease", "kill", "evict", "reboot", "stop", "blind", "lie"}
	all := []Config{
		{Name: "replace one, lost sight or a pause", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Faults: 1, Without: onlySight()},
		{Name: "restart one, lost sight or a pause", IDs: ids, Version: "3.8.0", Begins: 1, Restart: true, Faults: 1, Without: onlySight()},
		{Name: "the leader goes back, lost sight, pauses", IDs: ids, Version: "3.8.0", Moved: ids, Only: ids[2:], Begins: 1, Reverts: 1, Faults: 2, Limit: limit, Without: onlySight()},
		{Name: "replace one, lost sight, pauses", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 2, Limit: limit, Without: onlySight()},
		{Name: "replace one, go back, lost sight, a death", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 2, Limit: limit, Without: deaths},
		{Name: "restart all, lost sight twice", IDs: ids, Version: "3.4.13", Begins: 3, Restart: true, Faults: 2, Limit: limit, Without: append(onlySight(), "pause")},
		{Name: "a volume is lost, lost sight or a pause", IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Faults: 2, Writes: 1, Limit: limit, Without: volumes},
		{Name: "a backup of the journal is put back, lost sight or a pause", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 2, Writes: 1, Backups: true, Flights: true, Limit: limit, Without: onlyJournal()},
	}
	for i := range all {
		all[i].Sight = true
	}
	return all
}

// onlySight leaves what is lost of sight, and pauses.
func onlySight() []string { return append(onlyVolumes(), "volume") }

// onlyVolumes leaves no fault but a lost volume.
func onlyVolumes() []string {
	return []string{"lease", "kill", "evict", "reboot", "stop", "blind", "lie"}
}

// onlyJournal leaves no fault but a journal that is put back.
func onlyJournal() []string { return append(onlyStops(), "stop") }

// besideJournal leaves few others: what stops servers, pods and the tool.
func besideJournal() []string { return []string{"lease", "volume", "blind", "lie", "reboot"} }

// onlyStops leaves no fault but a server that is stopped on its host, unasked.
func onlyStops() []string {
	return []string{"lease", "kill", "evict", "reboot", "blind", "lie", "volume"}
}

// observed are three voters and an observer.
func observed() []ensemble.ID { return []ensemble.ID{1, 2, 3, 9} }

// weightless are three voters and a server of weight 0.
func weightless() []ensemble.ID { return []ensemble.ID{1, 2, 3, 4} }

// Whole are the explorations that see every state within their budgets, or the
// first so many of them where a limit stands there.
func Whole() []Config {
	ids := []ensemble.ID{1, 2, 3}
	all := Sights(4_000_000)
	for _, v := range []string{"3.4.13", "3.8.0"} {
		all = append(all,
			Config{Name: "replace one, one fault, one write", IDs: ids, Version: v, Only: ids[:1], Begins: 1, Faults: 1, Writes: 1},
			Config{Name: "replace one, two deaths", IDs: ids, Version: v, Only: ids[:1], Begins: 1, Faults: 2, Without: []string{"lease", "blind", "lie", "reboot", "stop"}},
			Config{Name: "replace one, two errors of operator or network", IDs: ids, Version: v, Only: ids[:1], Begins: 1, Faults: 2, Without: []string{"lease", "kill", "evict"}},
			Config{Name: "go back from a pod, one fault, one write", IDs: ids, Version: v, Moved: ids[:1], Only: ids[:1], Reverts: 1, Begins: 1, Faults: 1, Writes: 1, Without: []string{"lease"}},
			Config{Name: "the leader goes back, one fault", IDs: ids, Version: v, Moved: ids, Only: ids[2:], Reverts: 1, Begins: 1, Faults: 1},
		)
	}
	return append(all,
		Config{Name: "replace, go back at any point, one death", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Without: []string{"lease", "blind", "lie", "reboot", "stop"}},
		Config{Name: "replace, go back at any point, two tools", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Without: []string{"kill", "lie", "reboot", "stop", "blind", "evict"}},
		Config{Name: "the same, an overtaken tool writes late", IDs: ids, Version: "3.8.0", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Late: true, Without: []string{"kill", "lie", "reboot", "stop", "blind", "evict"}},
		Config{Name: "the leader goes last, one fault, one write", IDs: ids, Version: "3.4.13", Moved: ids[:2], Only: ids[2:], Begins: 1, Faults: 1, Writes: 1},
		Config{Name: "replace all, one write", IDs: ids, Version: "3.4.13", Begins: 3, Writes: 1},
		Config{Name: "replace one from a copy, one fault, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 1, Writes: 1, Copy: true},
		Config{Name: "replace one from a copy, two errors of operator or network", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 2, Copy: true, Without: []string{"lease", "kill", "evict", "volume"}},
		Config{Name: "a volume is lost and one more fault, one write", IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Faults: 2, Writes: 1, Without: []string{"lease", "blind"}},
		Config{Name: "two volumes of five are lost", IDs: []ensemble.ID{1, 2, 3, 4, 5}, Version: "3.4.13", Moved: []ensemble.ID{1, 2, 3, 4, 5}, Only: ids[:1], Faults: 2, Without: onlyVolumes()},
		Config{Name: "a volume is lost on the way back and into the pod again, one write", IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Reverts: 2, Faults: 1, Writes: 1, Without: onlyVolumes()},
		Config{Name: "go back, and into the pod again, one fault, one write", Limit: 4_000_000, IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 2, Faults: 1, Writes: 1, Without: []string{"lease"}},
		Config{Name: "go back, and into the pod again, two tools", IDs: ids, Version: "3.8.0", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 2, Faults: 1, Without: []string{"kill", "lie", "reboot", "stop", "blind", "evict", "volume"}},
		Config{Name: "replace one, started and stopped again by hand, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 2, Writes: 1, Hand: true, Without: onlyStops()},
		Config{Name: "replace one from a copy, started and stopped again by hand, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Faults: 2, Writes: 1, Hand: true, Copy: true, Without: onlyStops()},
		Config{Name: "go back and forth, started and stopped again by hand, one write", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 2, Faults: 2, Writes: 1, Hand: true, Without: onlyStops()},
		Config{Name: "the journal's copy is put back, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Copies: true, Without: onlyJournal()},
		Config{Name: "go back, the journal's copy is put back, one write", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Copies: true, Without: onlyJournal()},
		Config{Name: "go back, a backup of the journal is put back, one write", IDs: ids, Version: "3.8.0", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Backups: true, Without: onlyJournal()},
		Config{Name: "a backup with an operation under way is put back, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 2, Faults: 1, Writes: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "go back, a backup with an operation under way is put back, one write", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "a backup with an operation under way is put back, later", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 2, Reverts: 1, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "go back twice, a backup with an operation under way is put back", IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 2, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "replace two, a backup with an operation under way is put back", IDs: ids, Version: "3.4.13", Only: ids[:2], Begins: 2, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "two go back, a backup with an operation under way is put back", IDs: ids, Version: "3.4.13", Moved: ids[:2], Only: ids[:2], Begins: 1, Reverts: 2, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "one goes and one comes, a backup with an operation under way is put back", IDs: ids, Version: "3.4.13", Moved: ids[1:2], Only: ids[:2], Begins: 1, Reverts: 1, Faults: 1, Backups: true, Flights: true, Without: onlyJournal()},
		Config{Name: "a backup from the rolling restart is put back, one write", IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Backups: true, Restarted: true, Without: onlyJournal()},
		Config{Name: "a backup of the journal is put back, one more fault", Limit: 4_000_000, IDs: ids, Version: "3.4.13", Only: ids[:1], Begins: 1, Reverts: 1, Faults: 2, Backups: true, Without: besideJournal()},
		Config{Name: "go back, the journal's copy is put back, one more fault, one write", Limit: 20_000_000, IDs: ids, Version: "3.4.13", Moved: ids[:1], Only: ids[:1], Begins: 1, Reverts: 1, Faults: 2, Writes: 1, Copies: true, Without: append(besideJournal(), "kill", "stop")},
		Config{Name: "other settings for all pods, one write", IDs: ids, Version: "3.4.13", Moved: ids, Begins: 3, Writes: 1, Apply: true},
		Config{Name: "other settings for one pod, one fault, one write", Limit: 4_000_000, IDs: ids, Version: "3.4.13", Moved: ids, Only: ids[:1], Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Apply: true, Without: []string{"lease"}},
		Config{Name: "other settings for one pod, two tools", IDs: ids, Version: "3.8.0", Moved: ids, Only: ids[:1], Begins: 1, Faults: 1, Apply: true, Without: []string{"kill", "lie", "reboot", "stop", "blind", "evict", "volume"}},
		Config{Name: "other settings for the leader's pod, two deaths", Limit: 4_000_000, IDs: ids, Version: "3.8.0", Moved: ids, Only: ids[2:], Begins: 1, Faults: 2, Apply: true, Without: []string{"lease", "blind", "lie", "reboot", "stop"}},
		Config{Name: "restart all with an observer", IDs: observed(), Observers: observed()[3:], Version: "3.4.13", Begins: 4, Restart: true},
		Config{Name: "restart, one fault", IDs: ids, Version: "3.4.13", Begins: 1, Restart: true, Faults: 1},
		Config{Name: "five servers, one write", IDs: []ensemble.ID{1, 2, 3, 4, 5}, Version: "3.4.13", Only: ids[:1], Begins: 1, Writes: 1},
	)
}

// Words are explorations with one kind of fault each, in which status's words are
// followed from many states.
func Words() []Config {
	ids := []ensemble.ID{1, 2, 3}
	var all []Config
	for _, base := range []Config{
		{Name: "replace one", Only: ids[:1]},
		{Name: "the last one goes", Moved: ids[:2], Only: ids[2:]},
		{Name: "go back", Moved: ids[:1], Only: ids[:1], Reverts: 1},
		{Name: "the leader goes back", Moved: ids, Only: ids[2:], Reverts: 1},
	} {
		for _, fault := range []struct {
			name string
			// left are the kinds of faults that are.
			left   []string
			change func(*Config)
		}{
			{"a process dies", []string{"kill"}, nil},
			{"a server is stopped unasked", []string{"stop"}, nil},
			{"a unit is not masked, and its host reboots", []string{"lie", "reboot"}, func(c *Config) { c.Faults = 2 }},
			{"a pod is evicted", []string{"evict"}, nil},
			{"a volume is lost", []string{"volume"}, nil},
			{"a view is wrong", []string{"blind"}, nil},
			{"the lock is lost", []string{"lease"}, nil},
			{"somebody starts the server by hand", []string{"stop"}, func(c *Config) { c.Hand, c.Faults = true, 2 }},
			{"sight is lost", nil, func(c *Config) { c.Sight = true }},
			{"the journal's copy is put back", nil, func(c *Config) { c.Copies = true }},
			{"a backup of the journal is put back", nil, func(c *Config) { c.Backups = true }},
		} {
			c := base
			c.Name += ", " + fault.name
			c.IDs, c.Version, c.Begins, c.Faults, c.Sample = ids, "3.4.13", 1, 1, 13
			c.Without = slices.DeleteFunc(append(onlyVolumes(), "volume"), func(kind string) bool { return slices.Contains(fault.left, kind) })
			if fault.change != nil {
				fault.change(&c)
			}
			all = append(all, c)
		}
	}
	return all
}

// Walks are explored by chance.
func Walks() []Config {
	five := []ensemble.ID{0, 5, 9, 11, 300}
	base := Config{IDs: five, Begins: 9, Reverts: 3, Faults: 3, Writes: 4}
	old, guarded, observed, grouped, weighed := base, base, base, base, base
	old.Name, old.Version = "five servers", "3.4.13"
	guarded.Name, guarded.Version = "five servers, guarded", "3.8.0"
	observed.Name, observed.Version, observed.Observers = "four voters and an observer", "3.4.13", five[:1]
	grouped.Name, grouped.Version = "three groups", "3.5.9"
	grouped.Groups = map[ensemble.ID]int{0: 1, 5: 1, 9: 1, 11: 2, 300: 3}
	weighed.Name, weighed.Version, weighed.Weightless = "three groups, one server without weight", "3.4.13", five[4:]
	weighed.Groups = map[ensemble.ID]int{0: 1, 5: 2, 9: 3, 11: 3, 300: 1}
	restored := Config{
		Name: "backups of the journal, two more faults", IDs: []ensemble.ID{1, 2, 3}, Version: "3.4.13", Only: []ensemble.ID{1, 2},
		Begins: 3, Reverts: 2, Faults: 3, Writes: 2, Backups: true, Flights: true, Without: besideJournal(),
	}
	return []Config{old, guarded, observed, grouped, weighed, restored}
}
