package manifest

// MaxConcurrency bounds how many ensembles any fleet moves at once: each holds connections to
// its servers, and a person must still be able to read what goes on.
const MaxConcurrency = 50

// FleetFields is the table of all fields of a Fleet, as the root object.
func FleetFields() Field {
	return Field{Name: "fleet", Type: Object, Doc: "Many ensembles that one command moves, for -f of the fleet commands. " +
		"A run freezes it: what is changed later stops the run", Fields: []Field{
		{Name: "apiVersion", Type: Text, Required: true, Enum: []string{APIVersion}, Doc: "The version of this format"},
		{Name: "kind", Type: Text, Required: true, Enum: []string{FleetKind}, Doc: "What the file describes"},
		{Name: "metadata", Type: Object, Required: true, Doc: "Which fleet it is", Fields: []Field{
			{Name: "name", Type: Text, Required: true, Pattern: `^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`, Want: "lower-case letters, digits and dashes, starting with a letter and not ending with a dash, 40 at most",
				Doc: "The fleet's name, by which the other fleet commands find its run"},
			{Name: "namespace", Type: Text, Pattern: namespacePattern, Want: namespaceWant,
				Doc: "The namespace that holds the run's state, and of ensembles that name none; without it -n or the kubeconfig's"},
		}},
		{Name: "spec", Type: Object, Required: true, Doc: "Who is moved, how far, and when", Fields: []Field{
			{Name: "until", Type: Text, Default: "replaced", Enum: []string{"wrapped", "reconfigured", "replaced", finalized},
				Doc: "How far to go: wrapped (every server has a Service), reconfigured (servers use the Services' addresses), replaced (every server runs in its pod) or finalized (Kubernetes alone runs the pods, and no server can go back to its host; each ensemble needs giveUpWayBack)"},
			{Name: "ensembles", Type: Objects, Required: true, OneOf: []string{"name", "selector"}, NotBoth: []string{"manifest", "hostFiles"}, Fields: fleetEnsemble(), Doc: "The ensembles, by their names or by labels"},
			{Name: "strategy", Type: Object, Doc: "When which ensemble may go", Fields: strategy()},
		}},
	}}
}

const (
	finalized        = "finalized"
	namespacePattern = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	namespaceWant    = "the name of a namespace: lower-case letters, digits and dashes, 63 at most"
	labelPattern     = `^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`
	durationPattern  = `^([0-9]{1,4}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$`
	durationWant     = "a duration such as 30m or 1h30m"
	wordPattern      = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	wordWant         = "lower-case letters, digits and dashes"
)

func fleetEnsemble() []Field {
	return []Field{
		{Name: "name", Type: Text, Pattern: `^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`, Want: "an ensemble's name", Doc: "One ensemble's name"},
		{Name: "selector", Type: Text, Pattern: `.`, Want: "a label selector, as stage=canary", Doc: "Instead of name: all wrapped ensembles of the namespace whose journal (the ConfigMap NAME-zkmigrate) has labels that match, written as for kubectl's -l"},
		{Name: "namespace", Type: Text, Pattern: namespacePattern, Want: namespaceWant, Doc: "Its namespace (default: the fleet's)"},
		{Name: "context", Type: Text, Doc: "Its kubeconfig context, for a cluster other than the one that holds the run's state"},
		{Name: "manifest", Type: Text, File: true, Doc: "Its Ensemble manifest, which names hosts' files, hook and credentials"},
		{Name: "hostFiles", Type: Text, File: true, Doc: "The directory with its hosts' zoo.cfg files, or one file, as -f of wrap takes it; instead of manifest"},
		{Name: "hook", Type: Text, File: true, Doc: "Program that carries out what must happen on its hosts, as --host-hook; without one the run goes no further than wrapped unless the manifest names one"},
		{Name: "credentials", Type: Text, File: true, Doc: "What its servers are asked with, as --credentials: a file, or secret/NAME"},
		{Name: "data", Type: Text, Default: "empty", Enum: []string{"empty", "copy"}, Doc: "What pods start from, as --data of replace"},
		{Name: "acceptClientLoss", Type: Text, Doc: "Whom its owner accepts to lose with its last host, as --accept-client-loss of replace; without it an ensemble that would lose clients is red before its last server"},
		{Name: "giveUpWayBack", Type: Text, Doc: "The ensemble's name again, to confirm for until: finalized that its servers can no longer return to their hosts, as finalize --give-up-way-back does"},
		{Name: "tier", Type: Number, Default: "9", Min: 1, Max: 9, Want: "1 (most critical) to 9", Doc: "How critical it is, 1 the most: within a stage, less critical ones go first. Also the label tier"},
		{Name: "labels", Type: Map, Pattern: labelPattern, Want: "the value of a label", Doc: "Labels for the stages' selectors, beside those of its journal; name, namespace and tier are there by themselves"},
		{Name: "consumers", Type: List, Doc: "Who uses it: two ensembles with a common consumer are never under way together"},
	}
}

func strategy() []Field {
	return []Field{
		{Name: "stages", Type: Objects, Fields: stage(), Doc: "The stages, one after the other; each ensemble must be in exactly one. Without any, all ensembles are in one stage named all"},
		{Name: "maxConcurrency", Type: Number, Default: "5", Min: 1, Max: MaxConcurrency, Want: "1 to 50", Doc: "How many ensembles are under way at once at most, whatever stages say"},
		{Name: "electionsPerHour", Type: Number, Min: 2, Max: 1000, Want: "2 to 1000, for one ensemble alone may need two", Doc: "How many leader elections the run may force within any hour, over all ensembles; without it there is no limit"},
		{Name: "windows", Type: Objects, Fields: window(), Doc: "When ensembles may begin; what is under way at the end of a window goes on to its end. Without any, at any time"},
		{Name: "timeout", Type: Text, Default: "1h", Pattern: durationPattern, Want: durationWant, Doc: "How long one command of one ensemble may take before the ensemble counts as failed"},
	}
}

func stage() []Field {
	return []Field{
		{Name: "name", Type: Text, Required: true, Pattern: wordPattern, Want: wordWant, Doc: "The stage's name"},
		{Name: "selector", Type: Text, Pattern: `.`, Want: "a label selector, as stage=canary", Doc: "Labels of its ensembles, written as for kubectl's -l; without one all of them"},
		{Name: "concurrency", Type: Share, Default: "1", Min: 1, Max: MaxConcurrency, Pattern: `^([1-9][0-9]?|100)%$`, Want: "a number from 1 to 50, or a percentage such as 25%", Doc: "How many of its ensembles are under way at once: a number, or a percentage of them, rounded down, 1 at least"},
		{Name: "orderBy", Type: Text, Doc: "A label: ensembles go in the order of its values, numbers as numbers, those without it last; then by tier, then by name"},
		{Name: "tolerate", Type: Number, Default: "0", Min: 0, Max: 1000, Want: "0 to 1000", Doc: "How many of its ensembles may fail before nothing more begins"},
		{Name: "soakEach", Type: Text, Pattern: durationPattern, Want: durationWant, Doc: "How long to wait after each ensemble before the next one of the stage begins; with it they go one after the other, whatever concurrency says"},
		{Name: "soak", Type: Text, Pattern: durationPattern, Want: durationWant, Doc: "How long to wait after the stage before the next one begins"},
		{Name: "approveBefore", Type: Text, Pattern: wordPattern, Want: wordWant, Doc: "The name of an approval without which the stage does not begin"},
		{Name: "approveAfter", Type: Text, Pattern: wordPattern, Want: wordWant, Doc: "The name of an approval without which nothing begins after the stage"},
	}
}

func window() []Field {
	return []Field{
		{Name: "cron", Type: Text, Required: true, Doc: "When it opens: minute, hour, day of month, month, day of week, as of a CronJob"},
		{Name: "duration", Type: Text, Required: true, Pattern: durationPattern, Want: durationWant, Doc: "For how long it is open"},
		{Name: "timeZone", Type: Text, Default: "UTC", Doc: "The time zone of cron, as Europe/Berlin"},
	}
}
