import type { Mapping } from './mapping.ts';

/** What Django projects call what ours are called, the likelier first. */
export const synonyms: Partial<Record<keyof Mapping['columns'], string[]>> = {
  username: ['email', 'phone', 'phone_number', 'mobile'],
  mobile_number: ['phone_number', 'phone', 'mobile', 'cellphone', 'mobile_phone', 'cell_number', 'tel'],
  is_email_verified: ['email_verified', 'email_confirmed', 'is_email_confirmed', 'verified_email', 'is_verified'],
  avatar: ['picture', 'profile_picture', 'profile_image', 'profile_pic', 'photo', 'image', 'avatar_url'],
  first_name: ['given_name', 'firstname', 'name'],
  last_name: ['family_name', 'lastname', 'surname'],
  gender: ['sex'],
  invited_by_id: ['inviter_id', 'referred_by_id', 'referrer_id', 'invited_by_user_id', 'parent_id'],
  invite_code: ['referral_code', 'invitation_code', 'ref_code', 'referrer_code'],
  is_active: ['active', 'enabled'],
  is_staff: ['staff', 'is_employee'],
  is_admin: ['is_superuser', 'admin'],
  is_customer: ['customer'],
  is_profile_completed: ['profile_completed', 'profile_complete', 'is_profile_complete', 'is_complete', 'completed'],
  created_at: ['date_joined', 'created', 'created_on', 'joined_at', 'registered_at'],
  updated_at: ['modified', 'modified_at', 'updated', 'updated_on', 'last_modified'],
};

export const lastSeenNames = ['last_seen', 'last_seen_at', 'seen_at', 'last_activity', 'last_active', 'last_online'];

/** Soft deletion: a time, or a flag. */
export const deletedNames = ['deleted_at', 'deleted', 'is_deleted', 'removed_at', 'is_removed'];

/** What stands for a gender, in small letters. */
export const genderValues: Record<string, 'male' | 'female' | 'other'> = {
  ...toValues('male', 'm male man boy mr 1'),
  ...toValues('female', 'f female woman girl w 2'),
  ...toValues('other', 'o other x n nb non-binary nonbinary d diverse u unknown na 0 3 9'),
};

function toValues<Gender extends string>(gender: Gender, values: string): Record<string, Gender> {
  return Object.fromEntries(values.split(' ').map((value) => [value, gender]));
}
