package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
)

// AddVolumes makes as many volumes as the ensemble has servers on every node,
// so that the scheduler is free to place its pods.
func AddVolumes(ctx context.Context, lab *state.Lab, client kubernetes.Interface, ensemble string, count int) error {
	if err := makeClass(ctx, client, ensemble); err != nil {
		return err
	}
	for _, n := range lab.Nodes {
		for i := 1; i <= count; i++ {
			pv := Volume(lab, n, ensemble, i)
			dir := pv.Spec.Local.Path
			err := errors.Join(os.MkdirAll(dir, 0o755), os.Chown(dir, host.UserID, host.UserID), os.Chmod(dir, 0o2775))
			if err != nil {
				return fmt.Errorf("make volume %s: %w", pv.Name, err)
			}
			_, err = client.CoreV1().PersistentVolumes().Create(ctx, pv, metav1.CreateOptions{})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				return fmt.Errorf("make volume %s: %w", pv.Name, err)
			}
		}
	}
	return nil
}

// RemoveVolumes removes an ensemble's volumes with their data, also from under
// a claim that still holds one: who deletes an ensemble means it.
func RemoveVolumes(ctx context.Context, lab *state.Lab, client kubernetes.Interface, ensemble string) error {
	volumes := client.CoreV1().PersistentVolumes()
	list, err := volumes.List(ctx, metav1.ListOptions{LabelSelector: EnsembleLabel + "=" + ensemble})
	if err != nil {
		return fmt.Errorf("list the volumes of %s: %w", ensemble, err)
	}
	for _, pv := range list.Items {
		if err := volumes.Delete(ctx, pv.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete volume %s: %w", pv.Name, err)
		}
		_, err := volumes.Patch(ctx, pv.Name, types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete volume %s: %w", pv.Name, err)
		}
		for _, n := range lab.Nodes {
			if err := os.RemoveAll(VolumeDir(lab, n, pv.Name)); err != nil {
				return fmt.Errorf("delete volume %s: %w", pv.Name, err)
			}
		}
	}
	err = client.StorageV1().StorageClasses().Delete(ctx, StorageClass(ensemble), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete storage class %s: %w", StorageClass(ensemble), err)
	}
	return nil
}

// RecycleVolumes empties an ensemble's released volumes and offers them again,
// which nothing else does for local volumes. It returns how many there were.
func RecycleVolumes(ctx context.Context, client kubernetes.Interface, ensemble string) (int, error) {
	volumes := client.CoreV1().PersistentVolumes()
	list, err := volumes.List(ctx, metav1.ListOptions{LabelSelector: EnsembleLabel + "=" + ensemble})
	if err != nil {
		return 0, fmt.Errorf("list the volumes of %s: %w", ensemble, err)
	}
	count := 0
	for _, pv := range list.Items {
		if pv.Status.Phase != corev1.VolumeReleased {
			continue
		}
		entries, err := os.ReadDir(pv.Spec.Local.Path)
		if err != nil {
			return count, fmt.Errorf("empty volume %s: %w", pv.Name, err)
		}
		for _, e := range entries {
			if err := os.RemoveAll(filepath.Join(pv.Spec.Local.Path, e.Name())); err != nil {
				return count, fmt.Errorf("empty volume %s: %w", pv.Name, err)
			}
		}
		if _, err := volumes.Patch(ctx, pv.Name, types.MergePatchType, []byte(`{"spec":{"claimRef":null}}`), metav1.PatchOptions{}); err != nil {
			return count, fmt.Errorf("offer volume %s again: %w", pv.Name, err)
		}
		count++
	}
	return count, nil
}
