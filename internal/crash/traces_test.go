//go:build linux

package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

// traces are numbers of things that a server has made on this machine, by what they are. What there is none of is not in it.
type traces map[string]int

// differ says what there is more or less of than there was.
func (t traces) differ(now traces) error {
	if maps.Equal(t, now) {
		return nil
	}
	return fmt.Errorf("there was %v, there is %v", t, now)
}

func (t traces) add(what string, n int) {
	if n > 0 {
		t[what] += n
	}
}

// traces counts. All that the kernel shows is named after the instance of the data directory.
func (s *server) traces() traces {
	s.t.Helper()
	t := traces{}
	instance := s.instance()
	if instance == "" {
		return t // no server ever came so far
	}
	t.add("mounts", len(mountsBelow(s.t, s.dir)))
	t.add("cgroups", len(cgroups(instance)))
	for _, name := range interfaces(instance) {
		t.add("interfaces", 1)
		t.add("ports of bridges", s.ports(name))
	}
	t.add("routes", strings.Count(s.run("ip", "-4", "route", "show", "table", "all"), bridgeMark(instance)))
	for _, table := range tables(instance) {
		t.add("packet filters", 1)
		rules := s.run("nft", append([]string{"list", "table"}, strings.Fields(table)...)...)
		t.add("interfaces in "+strings.ReplaceAll(table, instance, "…"), strings.Count(rules, `"s`))
	}
	if _, err := exec.LookPath("iptables-save"); err == nil {
		t.add("rules of iptables", strings.Count(s.run("iptables-save"), bridgeMark(instance)))
	}
	switch s.engine {
	case "kubernetes":
		s.clusterTraces(t)
	case "docker":
		t.add("containers", len(s.containers()))
		t.add("networks", len(s.networks()))
		t.add("images", s.images())
	default:
		t.add("containers", len(s.shims()))
	}
	t.add("files of containers", s.files())
	return t
}

// instance names what the server makes in the kernel; empty: there was no server yet.
func (s *server) instance() string {
	if s.id == "" {
		text, err := os.ReadFile(s.data("instance"))
		if err != nil {
			return ""
		}
		s.id = strings.TrimSpace(string(text))
	}
	return s.id
}

// bridgeMark is what only names of the instance's interfaces have in them.
func bridgeMark(instance string) string { return instance[:6] }

func (s *server) shims() []int { return processesOf(filepath.Join(s.dir, "setops-shim")) }

func mountsBelow(t *testing.T, dir string) (points []string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if point := strings.Fields(line)[4]; strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	return points
}

// cgroups are the directories, in each hierarchy, the deepest first.
func cgroups(instance string) (dirs []string) {
	for _, pattern := range []string{"/sys/fs/cgroup/setops-", "/sys/fs/cgroup/*/setops-"} {
		roots, err := filepath.Glob(pattern + instance)
		if err != nil {
			panic(err) // the pattern is well formed
		}
		for _, root := range roots {
			_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, path)
				}
				return nil // what vanishes meanwhile is not there
			})
		}
	}
	slices.Reverse(dirs)
	return dirs
}

func interfaces(instance string) (names []string) {
	if instance == "" {
		return nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return []string{err.Error()}
	}
	for _, i := range all {
		for _, prefix := range []string{"so", "sv", "sd"} {
			if strings.HasPrefix(i.Name, prefix+bridgeMark(instance)) {
				names = append(names, i.Name)
			}
		}
	}
	return names
}

// tables gives "FAMILY NAME" of each packet filter table.
func tables(instance string) (all []string) {
	out, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(string(out)) {
		if table := strings.TrimPrefix(strings.TrimSpace(line), "table "); strings.Contains(table, "setops-"+instance) {
			all = append(all, table)
		}
	}
	return all
}

var taskID = regexp.MustCompile(`^[0-9a-f]{32}`)

// ports counts what is plugged into a bridge. With Docker only what leads into a container: a Docker that is killed while it plugs one in
// leaves both ends here, and never looks for them.
func (s *server) ports(bridge string) (n int) {
	var links []struct {
		Elsewhere *int `json:"link_netnsid"`
	}
	text := s.run("ip", "-json", "link", "show", "master", bridge) // nothing: it is no bridge
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	must(s.t, json.Unmarshal([]byte(text), &links))
	for _, l := range links {
		if s.engine != "docker" || l.Elsewhere != nil {
			n++
		}
	}
	return n
}

// files counts what the engine keeps on disk for single containers. Records and logs of tasks stay when they end.
func (s *server) files() (n int) {
	_ = filepath.WalkDir(s.data("engine"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path == s.kept() {
			return fs.SkipDir
		}
		if taskID.MatchString(d.Name()) {
			n++
			return skipIn(d)
		}
		return nil // what vanishes meanwhile is not there
	})
	return n
}

func skipIn(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// run gives the output of a program that looks at the machine.
func (s *server) run(program string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		s.t.Logf("%s %v: %v", program, args, err) // a table that was listed may be gone by now
	}
	return string(out)
}

func (s *server) containers() []string { return s.askDocker("ps", "-aq") }
func (s *server) networks() []string   { return s.askDocker("network", "ls", "-q") }

// images counts Docker's names of images of this server, which begin with where Docker gets them from.
func (s *server) images() int {
	s.t.Helper()
	address, err := os.ReadFile(s.data("engine", "registry-address"))
	must(s.t, err)
	return strings.Count(s.dockerDo("images", "--format", "{{.Repository}}"), strings.TrimSpace(string(address))+"/")
}

func (s *server) askDocker(args ...string) []string {
	s.t.Helper()
	return strings.Fields(s.dockerDo(append(args, "--filter", "label=setops.instance="+s.instance())...))
}

func (s *server) dockerDo(args ...string) string {
	s.t.Helper()
	if s.docker != "" {
		args = append([]string{"--host", "unix://" + s.docker}, args...)
	}
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("docker %v: %v: %s", args, err, out)
	}
	return string(out)
}

func readRecord(t *testing.T, path string) (task setops.Task, there bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return task, false
	}
	must(t, err)
	must(t, json.Unmarshal(text, &task))
	return task, true
}
