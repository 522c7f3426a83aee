//go:build linux

package docker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/setopsco/setops/internal/engine/host"
)

// causes find what is the image's or the settings' fault in the texts of Docker and runc, which differ between versions in
// all but the words that are sought here. The first that fits counts.
var causes = []struct {
	text   *regexp.Regexp
	reason func(found []string) string
	code   int // that a shell would give; 0: not of a program
}{
	{
		regexp.MustCompile(`(?i)no command specified`), func([]string) string {
			return "the image has neither an entrypoint nor a command: set one in the image, or the container's command"
		}, 0,
	},
	{
		regexp.MustCompile(`exec: "([^"]*)": executable file not found in \$PATH`), func(f []string) string {
			return fmt.Sprintf("there is no program %q in the image", f[1])
		}, 127,
	},
	{
		regexp.MustCompile(`exec: "([^"]*)": (?:stat [^:]*: )?no such file or directory`), func(f []string) string {
			return fmt.Sprintf("there is no program %s in the image", f[1])
		}, 127,
	},
	{
		regexp.MustCompile(`exec: "([^"]*)": (?:stat [^:]*: )?not a directory`), func(f []string) string {
			return fmt.Sprintf("there is no program %s in the image", f[1])
		}, 127,
	},
	{
		regexp.MustCompile(`exec: "([^"]*)": is a directory`), func(f []string) string {
			return f[1] + " is a directory, not a program"
		}, 126,
	},
	{
		regexp.MustCompile(`exec: "([^"]*)": permission denied`), func(f []string) string {
			return f[1] + " is not executable"
		}, 126,
	},
	{
		regexp.MustCompile(`exec (?:"?([^":]+)"?: |format error|user process caused: )exec format error`), func([]string) string {
			return "the program is not made for this machine (exec format error)"
		}, 126,
	},
	{
		regexp.MustCompile(`argument list too long`), func([]string) string {
			return "the environment and the arguments of the app are too large together"
		}, 126,
	},
	{
		regexp.MustCompile(`unable to find (user|group) ([^:]+):`), func(f []string) string {
			return fmt.Sprintf("the image names the %s %s, which it does not have", f[1], f[2])
		}, 0,
	},
	{
		regexp.MustCompile(`(?i)OOM-killed|memory limit too low|Minimum memory limit`), func([]string) string {
			return "the memory limit is too low: the container ran out of it before its program was started"
		}, 0,
	},
	{
		regexp.MustCompile(`(?:chdir to cwd \("|Cannot mkdir: )([^": ]*)(?:"\)[^:]*: (?:.*: )?| is )(not a directory|permission denied)`),
		func(f []string) string {
			return fmt.Sprintf("the working directory %s of the image cannot be used (%s)", f[1], f[2])
		}, 126,
	},
}

// refused turns an error of Docker into a *host.StartError where trying again cannot mend it.
func refused(err error) error {
	if reason, _, ok := explain(err.Error()); ok && !errors.As(err, new(*host.ImageError)) {
		return &host.StartError{Reason: reason}
	}
	return err
}

// explain says in a sentence of ours what a text of Docker's means, and which exit code that is.
func explain(text string) (reason string, code int, ok bool) {
	text = strings.TrimSpace(text)
	for _, c := range causes {
		if found := c.text.FindStringSubmatch(text); found != nil {
			return c.reason(found), c.code, true
		}
	}
	return "", 0, false
}
