package daemon

import (
	"errors"
	"net"
)

// notify tells systemd what the server does, where systemd wants to know (Type=notify): lines as sd_notify(3) has them.
func (d *Daemon) notify(state string) {
	if d.NotifySocket == "" {
		return
	}
	conn, err := net.Dial("unixgram", d.NotifySocket)
	if err == nil {
		_, err = conn.Write([]byte(state))
		err = errors.Join(err, conn.Close())
	}
	if err != nil {
		d.Logger.Warn("tell systemd", "state", state, "error", err)
	}
}
