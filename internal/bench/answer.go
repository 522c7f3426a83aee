//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The client asks often enough to see a millisecond, and gives up an attempt before the kernel repeats a lost packet:
// that would be a whole second for either side.
const (
	askEvery = time.Millisecond
	oneAsk   = 100 * time.Millisecond
	askLimit = 20 * time.Second
)

// awaitAnswer asks until a 200 comes from another instance than old, and gives its name.
func awaitAnswer(ctx context.Context, url, host, old string) (instance string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}, Timeout: oneAsk}
	defer client.CloseIdleConnections()
	for {
		var instance string
		if instance, err = ask(ctx, client, url, host); err == nil && instance != old {
			return instance, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("await an answer of a new process at %s within %s: %w", url, askLimit, firstError(err, ctx.Err()))
		case <-time.After(askEvery):
		}
	}
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func ask(ctx context.Context, client *http.Client, url, host string) (instance string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.Host = host
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answers %s", resp.Status)
	}
	return resp.Header.Get("X-Instance"), nil
}
