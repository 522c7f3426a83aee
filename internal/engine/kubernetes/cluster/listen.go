package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Listen gives a machine one address more and listens there, as what provides machines does for each of them. Release takes the address
// away again; listeners are the caller's to close.
func (c *Cluster) Listen(ctx context.Context, machine, address string, ports ...int) (all []net.Listener, release func() error, err error) {
	machines, err := c.machines()
	if err != nil {
		return nil, nil, err
	}
	pid := machines[machine]
	if pid == 0 {
		return nil, nil, fmt.Errorf("no machine %s runs", machine)
	}
	if err := ip(ctx, pid, "address add "+address+"/32 dev lo"); err != nil {
		return nil, nil, err
	}
	release = func() error { return ip(context.Background(), pid, "address del "+address+"/32 dev lo") }
	for _, port := range ports {
		l, err := listenIn(pid, net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			return nil, nil, errors.Join(err, release())
		}
		all = append(all, l)
	}
	return all, release, nil
}

// listenIn opens a socket in the network of another process.
func listenIn(pid int, address string) (l net.Listener, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread is in another network, and ends with this function
		var space *os.File
		if space, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", pid)); err != nil {
			return
		}
		defer space.Close()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			l, err = net.Listen("tcp", address)
		}
	}()
	<-done
	return l, err
}
