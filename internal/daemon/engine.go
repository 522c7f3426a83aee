package daemon

import (
	"log/slog"

	"github.com/setopsco/setops/internal/engine"
)

// Version is what the server says it is; a release is built with -ldflags "-X …/internal/daemon.Version=1.2.3".
var Version = "0.0.0-dev"

// EngineConfig is what an engine on this host is made from.
type EngineConfig struct {
	Dir      string // of the engine alone
	Instance string // 8 hexadecimal digits
	Images   engine.ImageSource
	Drainer  engine.Drainer
	Domain   string         // the server's; private names end in .DOMAIN.internal
	Serve    engine.Serve   // answers private names; nil: there are none
	Sockets  engine.Sockets // hands sockets over to the next process; nil: nobody does
	Logger   *slog.Logger
}
