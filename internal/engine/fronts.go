package engine

import (
	"context"
	"net"

	"github.com/setopsco/setops/internal/setops"
)

// Front is a private name of a stage and how it is answered. All http apps of a stage share one listener, which chooses
// the app by the request's Host; each tcp app has an address of its own, so that two may have the same port.
type Front struct {
	Host     string // APP.STAGE.PROJECT.DOMAIN.internal, without a dot at its end
	App      string // unique in its stage
	Protocol setops.Protocol
	Port     int // that tasks connect to: 80 for http, the app's for tcp
}

// Fronts is what engines on this host have; on a cluster, names are the cluster's business.
type Fronts interface {
	// SetFronts makes exactly these names of the stage resolve for its tasks, and listens for them. It is idempotent. It
	// may come before EnsureStage, and counts until RemoveStage or the end of this process: a network that EnsureStage
	// makes anew has the same names, and tcp apps keep their addresses as long as they have a front, restarts included.
	SetFronts(ctx context.Context, stageID string, fronts []Front) error
}

// Serve answers the connections to a front until l is closed, and then returns. For the http apps of a stage it is called
// once, with a Front that has neither App nor Host.
type Serve func(stageID string, f Front, l net.Listener)

// Sockets hands listening sockets over from one process of the server to the next: asked with the key of a socket that
// the earlier process had, it gives that one instead of calling open. A key is used by one open socket at a time.
type Sockets interface {
	Listen(key string, open func() (net.Listener, error)) (net.Listener, error)
	ListenPacket(key string, open func() (net.PacketConn, error)) (net.PacketConn, error)
}

// Served is an app of a stage, the generation that serves, and where the world reaches it.
type Served struct {
	App        string
	Host       string // its private name, APP.STAGE.PROJECT.DOMAIN.internal; empty: it has none
	Generation string // empty: none
	Protocol   setops.Protocol
	Port       int     // that tasks of the stage connect to: 80 for http, the app's for tcp
	Public     []Host  // of a public app that speaks http
	Stream     *Stream // of a public app that speaks tcp, where this engine has Ports; nil: the world does not reach it by them
}

// Host is a public name of an app. It may begin with *., which stands for one label.
type Host struct {
	Name     string
	Redirect string // the host that its requests are sent on to; empty: the app answers
}

// Stream is where the world reaches an app that speaks tcp.
type Stream struct {
	Host string // its default domain
	Port int
}

// Ports is what engines have that can take the world's connections to public tcp apps, so that our router need not listen for them.
type Ports interface {
	// OpenPort keeps a port for an app. It leads to nobody until SetServed says who serves. What is syscall.EADDRINUSE means that
	// somebody else has this port.
	OpenPort(ctx context.Context, s setops.StageRef, app string, port int) error
	// ClosePort is for one that an app has no more. It is idempotent.
	ClosePort(ctx context.Context, s setops.StageRef, app string) error
}

// Switch is what engines have whose tasks can be reached without our router.
type Switch interface {
	// SetServed leads requests to exactly these generations, for all apps of a stage as near together as can be. An app that
	// is not named is not reached any more. It is idempotent. An error is worth another try.
	SetServed(ctx context.Context, stageID string, served []Served) error
	// IsPublic reports whether the world reaches apps by it, and not by our router.
	IsPublic() bool
}
