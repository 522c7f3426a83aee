package daemon

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Version is what the server says it is; a release is built with -ldflags "-X …/internal/daemon.Version=1.2.3".
var Version = "0.0.0-dev"

// EngineConfig is what an engine is made from.
type EngineConfig struct {
	Kind     string // as --engine
	Dir      string // of the engine alone
	Instance string // 8 hexadecimal digits
	Images   engine.ImageSource
	Drainer  engine.Drainer
	Domain   string         // the server's; private names end in .DOMAIN.internal
	Serve    engine.Serve   // answers private names; nil: there are none
	Sockets  engine.Sockets // hands sockets over to the next process; nil: nobody does
	LogsKept engine.LogRetention
	Logger   *slog.Logger

	DockerHost string // where Docker Engine answers; empty: the usual place
	Cluster    ClusterConfig
	// Registry is Images with their HTTP. Docker pulls from it, at a loopback address that it is served at for that alone,
	// and signs in with what Credentials gives.
	Registry    http.Handler
	Credentials func(ctx context.Context) (user, password string, err error)
	// StageCredentials are those that a cluster's nodes pull images of a stage with. They change.
	StageCredentials func(s setops.StageRef) (user, password string)
}

// ClusterConfig is what the Kubernetes engine needs besides.
type ClusterConfig struct {
	Kubeconfig string                       // empty: this server runs in the cluster
	Namespace  string                       // of what the operator has put beside this server
	Domain     string                       // what the cluster calls itself in DNS
	Registry   string                       // HOST or HOST:PORT that nodes pull from
	Listen     string                       // where the registry answers nodes in clear; empty: they use the API's address
	Restricted func(s setops.StageRef) bool // whose tasks must satisfy the strictest standard
	Callers    []string                     // networks that the router calls tasks from

	Routing      string // as --routing
	Because      string // why it is that, where --routing is auto
	Gateway      string // NAMESPACE/NAME; empty: the only one
	IngressClass string // empty: the default one
	Issuer       string // of certificates for Ingresses; empty: none
	TCP          string // as --tcp-services
	Low, High    int    // of --tcp-ports; 0: there are none
	// Holds refuses to change anything, where another server may have the cluster by now; nil: there are no others.
	Holds func() error
}
