package credentials

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
)

func TestPodsFiles(t *testing.T) {
	set, servers := newSet(t, None)
	files, err := set.ForPods(servers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1.keystore.p12", "2.keystore.p12", "truststore.p12"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	for i, server := range servers {
		for _, name := range []string{server.Address, fmt.Sprintf("demo-%d.zklab.test", i+1), "demo-0.pods.test", "10.0.0.9"} {
			if err := verify(t, files, i+1, name); err != nil {
				t.Errorf("server %d: %v", i+1, err)
			}
		}
	}
	if err := verify(t, files, 1, servers[1].Address); err == nil {
		t.Error("server 1's certificate is good for server 2")
	}
}

func TestFaultsOfCertificates(t *testing.T) {
	for fault, says := range map[Fault]string{Expired: "expired", OtherCA: "unknown authority", OtherSAN: "doesn't contain any IP SANs"} {
		set, servers := newSet(t, fault)
		files, err := set.ForPods(servers)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(t, files, 1, servers[0].Address); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want an error that says %q", fault, err, says)
		}
	}
}

// TestKerberosFiles: a server that is called otherwise from now on acts under its new
// name, and is still known by the old one.
func TestKerberosFiles(t *testing.T) {
	set, servers, realm := newKerberosSet(t, None)
	set.Called = map[int]string{2: "demo-2.default.svc.cluster.local"}
	files, err := set.ForPods(servers)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1.jaas.conf", "1.zookeeper.keytab", "2.jaas.conf", "2.zookeeper.keytab", "krb5.conf"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	const one, two = "zookeeper/demo-1.zklab.test@ZKLAB.TEST", "zookeeper/demo-2.default.svc.cluster.local@ZKLAB.TEST"
	if diff := cmp.Diff(issued{{one}, {two, "zookeeper/demo-2.zklab.test@ZKLAB.TEST"}}, *realm); diff != "" {
		t.Errorf("key tabs (-want +got):\n%s", diff)
	}
	for name, principal := range map[string]string{"1.jaas.conf": one, "2.jaas.conf": two} {
		if got := strings.Count(string(files[name]), fmt.Sprintf("principal=%q;", principal)); got != 3 {
			t.Errorf("%s has %s in %d sections, want QuorumServer, QuorumLearner and Server:\n%s", name, principal, got, files[name])
		}
	}
}

func TestOtherPrincipal(t *testing.T) {
	set, servers, realm := newKerberosSet(t, OtherPrincipal)
	if _, _, err := set.Server(servers[0]); err != nil {
		t.Fatal(err)
	}
	if got := (*realm)[0][0]; got != "zookeeper/somebody-else.zklab.test@ZKLAB.TEST" {
		t.Errorf("the server acts as %s", got)
	}
}

// issued has the principals of each key tab.
type issued [][]string

func (i *issued) KeyTab(principals ...string) ([]byte, error) {
	*i = append(*i, principals)
	return []byte("keys"), nil
}

func (*issued) Config() []byte { return []byte("config") }

func newKerberosSet(t *testing.T, fault Fault) (Set, []ensemble.Server, *issued) {
	t.Helper()
	spec, err := ensemble.Parse("demo,ids=1:2,sasl=kerberos")
	if err != nil {
		t.Fatal(err)
	}
	realm := &issued{}
	return Set{Spec: spec, Kerberos: realm, Fault: fault}, spec.Servers(func(int, int) ensemble.Server { return ensemble.Server{} }), realm
}

func TestParseFault(t *testing.T) {
	for text, good := range map[string]string{
		"demo,tls=quorum": "none expired other-ca other-san", "demo,sasl=digest": "none other-password", "demo,sasl=kerberos": "none other-principal",
	} {
		spec, err := ensemble.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range []string{"none", "expired", "other-ca", "other-san", "other-password", "other-principal", "x"} {
			_, err := ParseFault(fault, spec)
			if want := slices.Contains(strings.Fields(good), fault); (err == nil) != want {
				t.Errorf("%s of %s: %v, want it taken: %t", fault, text, err, want)
			}
		}
	}
}

func newSet(t *testing.T, fault Fault) (Set, []ensemble.Server) {
	t.Helper()
	spec, err := ensemble.Parse("demo,ids=1:2,tls=quorum,san=10.0.0.9")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := pki.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	servers := spec.Servers(func(_, id int) ensemble.Server { return ensemble.Server{Address: fmt.Sprintf("10.0.0.%d", id)} })
	return Set{Spec: spec, Authority: authority, SANs: []string{"*.pods.test"}, Fault: fault}, servers
}

// verify is what a peer does with a server's certificate.
func verify(t *testing.T, files Files, id int, name string) error {
	t.Helper()
	_, cert, _, err := pkcs12.DecodeChain(files[fmt.Sprintf("%d.keystore.p12", id)], ensemble.StorePassword)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := pkcs12.DecodeTrustStore(files["truststore.p12"], ensemble.StorePassword)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	for _, root := range trusted {
		roots.AddCert(root)
	}
	_, err = cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
	return err
}
