package kubernetes_test

import (
	"context"
	"io"
	"net"
	"net/http"
)

// stream is one connection, on which questions can be asked. Its end leaves nothing that is waited for: in a minute of a test that connects
// over and over this machine would have no port left to do it from.
func stream() *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return c, c.(*net.TCPConn).SetLinger(0)
		},
	}}
}

// who says which generation answers.
func who(c *http.Client, address string) (string, error) { return variable(c, address, "GENERATION") }

// variable is one of the environment of the task that answers.
func variable(c *http.Client, address, name string) (string, error) {
	answer, err := c.Get("http://" + address + "/env/" + name)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// taskAt names the pod that answers, on a connection of its own.
func taskAt(address string) (string, error) {
	c := stream()
	defer c.CloseIdleConnections()
	return variable(c, address, "HOSTNAME")
}
