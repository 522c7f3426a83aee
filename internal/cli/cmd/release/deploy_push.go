package release

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/cli/image"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
)

// pushAndCommit asks first what would stand in the way of the deploy: building and pushing may take long.
func (d deploy) pushAndCommit(ctx context.Context, source image.Source) error {
	target, err := d.client.DeployTarget(ctx, d.ref)
	if err != nil {
		return err
	}
	if target.Staged > 0 {
		return d.staged(target.Staged)
	}
	digest, err := d.push(ctx, source, target)
	if err != nil {
		return err
	}
	if digest == target.ActiveDigest && !d.force {
		return d.active(api.Deployed{ReleaseID: target.ActiveRelease, Digest: digest})
	}
	return d.commit(ctx, digest, fmt.Sprintf("The image is pushed: `%s` deploys it.", d.again(digest)))
}

func (d deploy) staged(n int) error {
	at := fmt.Sprintf("`setops -p %s -s %s changeset:", d.ref.Project, d.ref.Stage)
	return &kit.Failure{
		Message: fmt.Sprintf("You have staged commands on this stage (%d), which would not be part of the deploy.", n),
		Next:    at + "commit` makes them live first, " + at + "discard` drops them.",
	}
}

// active says that there is nothing to do.
func (d deploy) active(release api.Deployed) error {
	d.kit.Note("Release %d is active already and has this image; --force deploys it again.", release.ReleaseID)
	return d.show(release)
}

// push brings the image into the app's repository, unless it is the active one, and gives its digest.
func (d deploy) push(ctx context.Context, source image.Source, target api.DeployTarget) (string, error) {
	phase, doing := phaseRead, "Reading"
	if d.build.docker || d.build.pack {
		phase, doing = phaseBuild, "Building"
	}
	d.kit.Note("%s %s…", doing, source)
	platform, err := image.Platform(target.Platform)
	if err != nil {
		return "", err
	}
	opened, err := source.Open(ctx, platform)
	if err != nil {
		return "", failedIn(ctx, phase, err, "Nothing was pushed or changed.")
	}
	digest, err := d.pushOpened(ctx, opened, target)
	if closed := opened.Close(); err == nil {
		err = closed
	}
	return digest, err
}

func (d deploy) pushOpened(ctx context.Context, opened image.Opened, target api.DeployTarget) (string, error) {
	digest, err := opened.Digest()
	if err != nil {
		return "", failedIn(ctx, phaseRead, err, "Nothing was pushed or changed.")
	}
	if digest.String() == target.ActiveDigest && !d.force {
		return digest.String(), nil
	}
	to, err := d.target(ctx)
	if err != nil {
		return "", err
	}
	d.kit.Note("Pushing to %s…", to)
	shown := render.NewTransfer(d.kit.Notes(), d.kit.Animated(), "Pushing")
	pushed, err := image.Push(ctx, opened, to, shown.Update)
	if err == nil {
		shown.Done()
	}
	shown.End()
	if err != nil {
		return "", failedIn(ctx, phasePush, err, "Nothing was deployed. The same line goes on behind the layers that were sent.")
	}
	d.kit.Note("%s.", summary(pushed))
	return digest.String(), nil
}

// summary says what a push has sent.
func summary(p image.Pushed) string {
	text := fmt.Sprintf("Pushed %s, %s", layers(p.Sent), render.Bytes(p.Bytes))
	if p.Sent == 0 {
		text = "Pushed no layer"
	}
	if p.There > 0 {
		text += fmt.Sprintf("; %s there already", layers(p.There))
	}
	return text
}

func layers(n int) string {
	if n == 1 {
		return "1 layer"
	}
	return fmt.Sprintf("%d layers", n)
}
