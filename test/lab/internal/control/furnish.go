package control

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
)

// EnsembleLabel marks what belongs to one of the lab's ensembles.
const EnsembleLabel = "zklab.test/ensemble"

// StorageClass names the class of an ensemble's static local volumes. Each
// ensemble has its own: a claim bound to another's volume would lose it with
// that ensemble.
func StorageClass(ensemble string) string { return "zklab-" + ensemble }

// makeClass creates an ensemble's storage class.
func makeClass(ctx context.Context, client kubernetes.Interface, ensemble string) error {
	late := storagev1.VolumeBindingWaitForFirstConsumer
	class := &storagev1.StorageClass{
		ObjectMeta:  metav1.ObjectMeta{Name: StorageClass(ensemble), Labels: map[string]string{EnsembleLabel: ensemble}},
		Provisioner: "kubernetes.io/no-provisioner", VolumeBindingMode: &late,
	}
	_, err := client.StorageV1().StorageClasses().Create(ctx, class, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make the storage class: %w", err)
	}
	return nil
}

// Volume is a local volume on a node.
func Volume(lab *state.Lab, n state.Node, ensemble string, i int) *corev1.PersistentVolume {
	name := fmt.Sprintf("zklab-%s-%s-%d", ensemble, n.Name, i)
	mode := corev1.PersistentVolumeFilesystem
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{EnsembleLabel: ensemble}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			StorageClassName:              StorageClass(ensemble),
			VolumeMode:                    &mode,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: VolumeDir(lab, n, name)}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{n.Name}}},
			}}}},
		},
	}
}
