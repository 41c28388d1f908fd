//go:build e2e

package e2e

import (
	"cmp"
	"net/netip"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestFamilies is the whole road, and back for one server, in a cluster with IPv6: alone
// (ZKLAB_IP_FAMILY=ipv6), or second to IPv4 (dual), with hosts on either.
func TestFamilies(t *testing.T) {
	t.Parallel()
	family := cmp.Or(os.Getenv("ZKLAB_IP_FAMILY"), "ipv4")
	for _, c := range []struct {
		name, version string
		settings      []string
		in            []string
		wantIPv6      bool
	}{
		{"six380", "3.8.0", []string{"ipv6=true"}, []string{"ipv6", "dual"}, true},
		{"six3413", "3.4.13", []string{"ipv6=true"}, []string{"ipv6", "dual"}, true},
		{"four380", "3.8.0", nil, []string{"dual"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if family != c.in[0] && family != c.in[len(c.in)-1] {
				t.Skipf("the lab's IP family is %s; make test-ipv6 and make test-dual have others", family)
			}
			t.Parallel()
			s := scene.New(t, c.name, c.version, []int{1, 2, 3}, c.settings...)
			s.Zkmigrate(0, append([]string{"check", s.Name}, s.Files()...)...)
			s.Ready()
			verdict := s.WatchSlices()
			s.Replace(0, "--all")
			s.Zkmigrate(0, "check", s.Name, "--from-pods")
			s.Revert(2)
			s.Replace(0, "--id=2")
			verdict()
			st := s.Status()
			if !st.Healthy || st.Replaced != 3 {
				t.Errorf("at the end: %+v", st)
			}
			services, err := s.Kube.CoreV1().Services(s.Name).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, svc := range services.Items {
				if a, err := netip.ParseAddr(svc.Spec.ClusterIP); err == nil && a.Is6() != c.wantIPv6 {
					t.Errorf("Service %s has the address %s", svc.Name, a)
				}
			}
			s.NothingLost()
		})
	}
}
