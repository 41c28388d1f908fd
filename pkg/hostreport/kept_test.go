package hostreport

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestNewest: one report of each machine is kept, the latest first, and no more than a file holds.
func TestNewest(t *testing.T) {
	of := func(host, address string, at int64) Report {
		return Report{Hostname: host, Addresses: []string{address}, Time: at}
	}
	got := Newest([]Report{of("a", "10.0.0.1", 1), of("a", "10.0.0.2", 2), of("a", "10.0.0.1", 3), of("b", "10.0.0.1", 2)})
	want := []Report{of("a", "10.0.0.1", 3), of("a", "10.0.0.2", 2), of("b", "10.0.0.1", 2)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var many []Report
	for i := range 2 * MaxReports {
		many = append(many, of(fmt.Sprint(i), "10.0.0.1", int64(i)))
	}
	if got := Newest(many); len(got) != MaxReports || got[0].Time != 2*MaxReports-1 {
		t.Errorf("%d reports, the first of %d", len(got), got[0].Time)
	}
}

// TestLines: what is written is read again as it was, whether much is known or little.
func TestLines(t *testing.T) {
	reports, err := Parse(strings.NewReader(whole+"\n"+least), "f")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := Lines(reports)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(bytes.NewReader(lines), "again")
	if err != nil || !reflect.DeepEqual(again, reports) {
		t.Errorf("%v\n%s", err, lines)
	}
}
