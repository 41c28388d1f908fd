package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is what was measured in one run.
type report struct {
	ZooKeeper string `json:"zookeeper"`
	CPUs      int    `json:"cpus"`
	// Load is the machine's load average at the end, as the kernel prints it.
	Load    string   `json:"load"`
	Figures []figure `json:"figures"`
	// Ratio is the median from release to serving over that of a bare JVM.
	// FastestRatio is that of the fastest of each, which says more on a busy
	// machine.
	Ratio        float64 `json:"releaseToServingOverBareJVM"`
	FastestRatio float64 `json:"fastestReleaseToServingOverBareJVM"`
	// FleetRatio is that of status -A over kubectl's get of the same objects.
	FleetRatio float64 `json:"statusOfAllOverKubectlGet"`
	// FleetMemory is the most that status -A held at once, in MiB.
	FleetMemory float64 `json:"statusOfAllMiB"`
	// ThroughRatio is that of status --probe-via=pod over three kubectl exec.
	ThroughRatio float64 `json:"statusThroughPodOverThreeKubectlExec"`
}

// figure is one quantity, in seconds.
type figure struct {
	Name   string    `json:"name"`
	Values []float64 `json:"seconds"`
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
}

func newReport(version string) *report {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	return &report{ZooKeeper: version, CPUs: runtime.NumCPU(), Load: strings.TrimSpace(string(load))}
}

// add appends a quantity and returns its median.
func (r *report) add(name string, took []time.Duration) float64 {
	f := figure{Name: name}
	for _, d := range took {
		f.Values = append(f.Values, d.Seconds())
	}
	if len(took) > 0 {
		sorted := slices.Sorted(slices.Values(f.Values))
		f.Min, f.Max, f.Median = sorted[0], sorted[len(sorted)-1], median(sorted)
	}
	r.Figures = append(r.Figures, f)
	return f.Median
}

// fastest is the least value of a quantity; 0 when there is none.
func (r *report) fastest(name string) float64 {
	for _, f := range r.Figures {
		if f.Name == name {
			return f.Min
		}
	}
	return 0
}

// median is that of sorted values, of which there is one at least.
func median(sorted []float64) float64 {
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\nZooKeeper %s, %d processors, load average %s\n\n", r.ZooKeeper, r.CPUs, r.Load)
	fmt.Fprintf(w, "%-52s %3s %8s %8s %8s\n", "seconds", "n", "median", "min", "max")
	for _, f := range r.Figures {
		fmt.Fprintf(w, "%-52s %3d %8.3f %8.3f %8.3f\n", f.Name, len(f.Values), f.Median, f.Min, f.Max)
	}
	fmt.Fprintf(w, "\nfrom release to serving: %.2f times a bare JVM's start (medians), %.2f times (the fastest)\n", r.Ratio, r.FastestRatio)
	fmt.Fprintf(w, "status through a pod: %.2f times three kubectl exec (medians)\n", r.ThroughRatio)
	fmt.Fprintf(w, "status -A of %d ensembles: %.2f times kubectl get -o json of the same objects (medians), %.0f MiB at most\n", fleetSize, r.FleetRatio, r.FleetMemory)
}
