package session

import (
	"os"

	"github.com/setopsco/setops/internal/cli/docker"
	"github.com/setopsco/setops/internal/cli/kit"
)

// setUpDocker has Docker ask setops for the credentials of the registry at address. What stands in its way is told; the user
// is signed in all the same.
func setUpDocker(k *kit.Kit, address string) {
	paths, err := docker.PathsOf(k.Getenv)
	if err == nil {
		var program string
		if program, err = os.Executable(); err == nil {
			err = paths.SetUp(kit.RegistryHost(address), program)
		}
	}
	if err != nil {
		k.Note("Docker was not set up: %s", kit.Sentence(err.Error()))
		k.Note("`setops registry:login` prints a line that signs it in; --no-setup leaves Docker alone.")
		return
	}
	if !paths.InPath(k.Getenv("PATH")) {
		k.Note("Docker does not find %s yet: add ~/bin to PATH.", docker.Program)
	}
}

// takeBackDocker undoes the entry of setUpDocker.
func takeBackDocker(k *kit.Kit, address string) {
	paths, err := docker.PathsOf(k.Getenv)
	if err == nil {
		err = paths.TakeBack(kit.RegistryHost(address))
	}
	if err != nil {
		k.Note("Docker still asks setops for credentials: %s", kit.Sentence(err.Error()))
	}
}
