package kit

import "github.com/setopsco/setops/pkg/client"

// AtProject gives the project in scope and the client to speak about it.
func (k *Kit) AtProject(argument string) (client.ProjectRef, *client.Client, error) {
	ref, err := k.Project(argument)
	if err != nil {
		return ref, nil, err
	}
	c, err := k.Client()
	return ref, c, err
}

// AtStage gives the stage in scope and the client to speak about it.
func (k *Kit) AtStage(argument string) (client.StageRef, *client.Client, error) {
	ref, err := k.Stage(argument)
	if err != nil {
		return ref, nil, err
	}
	c, err := k.Client()
	return ref, c, err
}

// AtApp gives the app in scope and the client to speak about it.
func (k *Kit) AtApp(argument string) (client.AppRef, *client.Client, error) {
	ref, err := k.App(argument)
	if err != nil {
		return ref, nil, err
	}
	c, err := k.Client()
	return ref, c, err
}
