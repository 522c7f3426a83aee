package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/engine/kubernetes/isolation"
)

// clusterAnswer is what a server has found out about its cluster.
type clusterAnswer struct {
	NetworkPolicies isolation.Finding `json:"network_policies"`
	NameServers     []string          `json:"name_servers"`
}

// clustered is what engines are that run tasks on a cluster.
type clustered interface {
	Isolation() isolation.Finding
	NameServers() []string
}

// newCluster shows what the server that runs has found out.
func newCluster(getenv func(string) string, stdout io.Writer) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Show what the server has found out about its cluster",
		Long: "Show whether the cluster enforces network policies, which keep stages apart, and which name server tasks ask. It asks the\n" +
			"server that runs in the data directory, which looks at its start and once a day.",
		Example: "  setopsd cluster\n  kubectl --namespace setops exec deployment/setopsd -- setopsd cluster",
		Args:    cobra.NoArgs,
	}
	c, fill := withSettings(cmd, getenv, "data-dir")
	asJSON := withOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := fill(); err != nil {
			return err
		}
		inJSON, err := asJSON()
		if err != nil {
			return err
		}
		var answer clusterAnswer
		if err := askControl(cmd.Context(), c.DataDir, http.MethodGet, "/cluster", &answer); err != nil {
			return err
		}
		if inJSON {
			return json.NewEncoder(stdout).Encode(answer)
		}
		return showCluster(stdout, answer)
	}
	return cmd
}

func showCluster(w io.Writer, a clusterAnswer) error {
	policies := "being looked for"
	if f := a.NetworkPolicies; f.Verdict != "" {
		policies = fmt.Sprintf("%s (%s; %s)", f.Verdict, f.Reason, f.At.Format(time.RFC3339))
	}
	servers := strings.Join(a.NameServers, ", ")
	if servers == "" {
		servers = "that of the cluster, which knows no private names"
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Network Policies:\t%s\nName Server:\t%s\n", policies, servers)
	return t.Flush()
}

func (c *core) serveCluster(*http.Request) (any, error) {
	e, ok := c.engine.(clustered)
	if !ok {
		return nil, errors.New("the tasks of this server run on no cluster; that is --engine " + kubernetesKind)
	}
	return clusterAnswer{NetworkPolicies: e.Isolation(), NameServers: e.NameServers()}, nil
}

// listenWord is the command of the pod that the server tries network policies with.
const listenWord = "listen"

// newListen is the program of the pod that the server tries network policies with.
func newListen() *cobra.Command {
	return &cobra.Command{
		Use:    listenWord,
		Short:  "Take connections, for a server that tries network policies",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return isolation.Listen(cmd.Context()) },
	}
}
