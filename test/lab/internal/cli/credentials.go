package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/credentials"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
)

func newCredentials(e *env) *cobra.Command {
	var r lab.Renewal
	called := map[string]string{}
	cmd := &cobra.Command{
		Use:   "credentials ENSEMBLE",
		Short: "Make new files for a secured ensemble: for its pods, hosts and clients",
		Long: `Make new files for an ensemble with tls= or sasl=: certificates signed by its authority, key
tabs of its realm, JAAS files. Each certificate has its host's name and address, what san= gave
the ensemble, and each --san.

--dir gets one flat folder for a Secret: what servers share by its name, such as truststore.p12,
what each has for itself as ID.NAME, such as 1.keystore.p12, and the JVM flags in jvm-flags. The
folder client in it, which a Secret leaves out, has new files for clients.
--host replaces a host's own files.`,
		Example: `  zklab credentials demo --san '*.demo-pods.default.svc.cluster.local' --san 10.79.0.17 --dir files
  kubectl create secret generic demo-files --from-file=files
  zklab credentials demo --host 2 --fault expired && zklab host restart demo/2`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Dir == "" && len(r.Hosts) == 0 {
				return usageError{fmt.Errorf("nothing to do: give --dir, --host or both")}
			}
			if r.Called, err = parseCalled(called); err != nil {
				return usageError{err}
			}
			l, err := e.open()
			if err != nil {
				return err
			}
			return l.Renew(cmd.Context(), args[0], r)
		},
	}
	cmd.Flags().StringVar(&r.Dir, "dir", "", "folder for what pods and clients are given")
	cmd.Flags().IntSliceVar(&r.Hosts, "host", nil, "ids of the servers whose hosts get new files")
	cmd.Flags().StringArrayVar(&r.SANs, "san", nil, "one more name or address in every server's certificate; may be given again")
	cmd.Flags().StringToStringVar(&called, "called", nil, "what server lines will call a server, as ID=NAME: in its certificate and its principal; may be given again")
	cmd.Flags().StringVar(&r.Fault, "fault", string(credentials.None), "what is wrong with all of them: expired, other-ca (trusted by nobody), other-san, other-principal (somebody else's name) or other-password")
	return cmd
}

func parseCalled(words map[string]string) (map[int]string, error) {
	called := map[int]string{}
	for word, name := range words {
		id, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("--called %s=%s: want ID=NAME", word, name)
		}
		called[id] = name
	}
	return called, nil
}
