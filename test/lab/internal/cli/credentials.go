package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/credentials"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/lab"
)

func newCredentials(e *env) *cobra.Command {
	var r lab.Renewal
	fault := string(credentials.None)
	cmd := &cobra.Command{
		Use:   "credentials ENSEMBLE",
		Short: "Make new certificates for a secured ensemble: for its pods, hosts and clients",
		Long: `Make new certificates for the servers of an ensemble with tls=, signed by its authority.
Each has its host's name and address, what san= gave the ensemble, and each --san.

--dir gets one flat folder for a Secret: ID.keystore.p12 for each server and the truststore.p12
of all. The folder client in it, which a Secret leaves out, has new files for clients.
--host replaces a host's own files.`,
		Example: `  zklab credentials demo --san '*.demo-pods.default.svc.cluster.local' --san 10.79.0.17 --dir files
  kubectl create secret generic demo-files --from-file=files
  zklab credentials demo --host 2 --fault expired && zklab host restart demo/2`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Dir == "" && len(r.Hosts) == 0 {
				return usageError{fmt.Errorf("nothing to do: give --dir, --host or both")}
			}
			if r.Fault, err = credentials.ParseFault(fault); err != nil {
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
	cmd.Flags().StringVar(&fault, "fault", fault, "what is wrong with all of them: expired, other-ca (trusted by nobody) or other-san (somebody else's name)")
	return cmd
}
