package sessions

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// unknown is the word that accepts what nobody can tell.
const unknown = "unknown"

// Consent is what an operator accepts to lose. The zero Consent accepts nothing.
type Consent struct {
	// Any accepts everything: a plan asks what else stands in the way.
	Any bool
	// Sessions is how many may be lost, beside those of Addresses.
	Sessions  int
	Addresses []string
	// Unknown: also where it is not known who would be lost.
	Unknown bool
}

// ParseConsent reads a number of sessions, addresses and the word unknown, separated by
// commas; nothing accepts nothing.
func ParseConsent(text string) (Consent, error) {
	var c Consent
	if text == "" {
		return c, nil
	}
	numbers := 0
	for _, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		n, notNumber := strconv.Atoi(word)
		a, notAddress := netip.ParseAddr(word)
		switch {
		case notNumber == nil && n >= 0 && numbers == 0:
			c.Sessions = n
			numbers++
		case word == unknown:
			c.Unknown = true
		case notAddress == nil && a.Zone() == "":
			c.Addresses = append(c.Addresses, Canonical(a))
		default:
			return Consent{}, fmt.Errorf("%q: expected one number of sessions, addresses, or %s, separated by commas", word, unknown)
		}
	}
	return c, nil
}

// Canonical is the one spelling of an address in lists, memory and consent.
func Canonical(a netip.Addr) string { return a.Unmap().WithZone("").String() }

// Covers reports whether all that would be lost is accepted: every session at the addresses
// that are named, and of the others not more than the number.
func (c Consent) Covers(v *View) bool {
	if c.Any {
		return true
	}
	if !v.Known() && !c.Unknown {
		return false
	}
	return v == nil || c.rest(v) <= c.Sessions
}

// rest counts the sessions of addresses that are not named.
func (c Consent) rest(v *View) int {
	n := v.Sessions
	for _, a := range v.Left {
		if slices.Contains(c.Addresses, a.Address) {
			n -= a.Sessions
		}
	}
	return n
}

// Wanted is the consent that a view needs, as ParseConsent reads it.
func Wanted(v *View) string {
	var words []string
	if v != nil && v.Sessions > 0 {
		words = append(words, strconv.Itoa(v.Sessions))
	}
	if !v.Known() {
		words = append(words, unknown)
	}
	return strings.Join(words, ",")
}
