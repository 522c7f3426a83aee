package kit

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
)

// Browse opens a page in the user's browser, and says whether it could begin to. Where nobody sits before a terminal, or
// there is no display, it opens none: the page has to be shown as a link in any case.
func (k *Kit) Browse(ctx context.Context, page string) bool {
	if !k.Interactive() || k.Getenv("CI") != "" {
		return false
	}
	argv := k.browser()
	if len(argv) == 0 {
		return false
	}
	// It is not waited for, and what it prints is not ours: a browser may live as long as the user likes.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], append(argv[1:], page)...)
	if err := cmd.Start(); err != nil {
		return false
	}
	go func() { _ = cmd.Wait() }() // ends with the browser's starter, or with this program
	return true
}

// browser is the command that opens a page; empty: there is none. BROWSER chooses one.
func (k *Kit) browser() []string {
	if chosen := strings.Fields(k.Getenv("BROWSER")); len(chosen) > 0 {
		return chosen
	}
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	switch {
	case k.Getenv("WSL_DISTRO_NAME") != "":
		return installed("wslview", "xdg-open")
	case k.Getenv("DISPLAY") != "" || k.Getenv("WAYLAND_DISPLAY") != "":
		return installed("xdg-open", "x-www-browser")
	}
	return nil // xdg-open would open a browser of text in this terminal
}

func installed(names ...string) []string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	return nil
}
